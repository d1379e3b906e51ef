//! The way from one page to the others, wherever the router is nested.

use axum::http::Uri;

use super::paths::encoded;

/// Links from the page that was asked for. They are relative, so that they hold behind a proxy that
/// serves the pages under another path than they are asked for here.
#[derive(Debug)]
pub(super) struct Links {
    /// Behind it, paths of the pages begin.
    root: String,
    /// The page of all balancers.
    index: String,
}

impl Links {
    /// From the page of all balancers at this path.
    pub(super) fn of_index(original: &Uri) -> Self {
        let last = last_part(original.path());
        let root = if last.is_empty() { "./".to_owned() } else { format!("./{last}/") };
        Self { root, index: "?".to_owned() }
    }

    /// From the page of one balancer, which the router was asked for as `inner`.
    pub(super) fn of_page(original: &Uri, inner: &Uri) -> Self {
        let mount = original.path().strip_suffix(inner.path()).unwrap_or_default();
        let last = last_part(mount);
        let index = if last.is_empty() { "./".to_owned() } else { format!("../{last}") };
        Self { root: "./".to_owned(), index }
    }

    pub(super) fn index(&self) -> &str {
        &self.index
    }

    /// All balancers as JSON.
    pub(super) fn json(&self) -> String {
        format!("{}status.json", self.root)
    }

    pub(super) fn page(&self, key: &str) -> String {
        format!("{}{}", self.root, encoded(key))
    }

    /// One balancer as JSON.
    pub(super) fn json_of(&self, key: &str) -> String {
        format!("{}/status.json", self.page(key))
    }
}

/// A path is encoded already.
fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(path: &'static str) -> Uri {
        Uri::from_static(path)
    }

    #[test]
    fn links_hold_wherever_the_pages_are() {
        for (at, page) in [("/", "./a%2Fb"), ("/lb", "./lb/a%2Fb"), ("/x/lb/", "./a%2Fb")] {
            let links = Links::of_index(&uri(at));
            assert_eq!(links.page("a/b"), page, "{at}");
            assert_eq!(links.json_of("a/b"), format!("{page}/status.json"), "{at}");
        }
        let links = Links::of_page(&uri("/x/lb/a"), &uri("/a"));
        assert_eq!((links.index(), links.page("b")), ("../lb", "./b".to_owned()));
        let links = Links::of_page(&uri("/a"), &uri("/a"));
        assert_eq!((links.index(), links.json()), ("./", "./status.json".to_owned()));
    }
}
