//! What a request asks of a page.

/// The longest pause between two readings, in seconds.
const LONGEST_PAUSE: u32 = 3_600;

/// See [`StatusPages`](super::StatusPages) for what the query may say. Whatever else it says is left
/// alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// Every endpoint.
    pub(super) all: bool,
    /// Seconds after which it is to be read again.
    pub(super) refresh: Option<u32>,
}

impl View {
    pub(super) fn of(query: Option<&str>) -> Self {
        let mut view = Self::default();
        for part in query.unwrap_or_default().split('&') {
            match part.split_once('=').unwrap_or((part, "")) {
                ("all", "" | "1" | "true") => view.all = true,
                ("refresh", seconds) => {
                    let seconds = seconds.parse().ok();
                    view.refresh = seconds.filter(|it| (1..=LONGEST_PAUSE).contains(it));
                }
                _ => {}
            }
        }
        view
    }

    /// The query that asks for it.
    pub(super) fn query(self) -> String {
        let all = self.all.then(|| "all".to_owned());
        let refresh = self.refresh.map(|seconds| format!("refresh={seconds}"));
        let parts: Vec<_> = all.into_iter().chain(refresh).collect();
        format!("?{}", parts.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_left_alone() {
        let view = |query: &str| View::of(Some(query));
        assert_eq!(View::of(None), View::default());
        assert_eq!(view("all&refresh=5"), View { all: true, refresh: Some(5) });
        for odd in
            ["", "&&", "all=no", "refresh=0", "refresh=3601", "refresh=-1", "refresh=\u{661}"]
        {
            assert_eq!(view(odd), View::default(), "{odd}");
        }
        for some in ["?", "?all", "?refresh=9", "?all&refresh=3600"] {
            assert_eq!(view(&some[1..]).query(), some);
        }
    }
}
