//! What follows from what stands in the file.

use crate::config::Config;
use crate::error::FileError;

/// Remembers what the file has said, so that each thing is acted upon once.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// What is wrong with the file.
    fault: Option<FileError>,
    /// The last content that was offered to the balancer.
    offered: Option<u64>,
}

/// Something to be done.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and off the request path")]
pub(super) enum Step {
    /// Tell that the source has failed.
    TellFailed(FileError),
    /// Tell that it is well again.
    TellRecovered,
    /// Offer these settings, and forget those that were refused.
    Offer(Config),
}

impl Course {
    /// What to do about a file that has settled on something new: a content and what it says, or
    /// none.
    ///
    /// A content that comes back after a fault is nothing new: whatever was applied by hand
    /// meanwhile stays.
    pub(super) fn settled(
        &mut self,
        content: Option<u64>,
        says: Result<Config, FileError>,
    ) -> Vec<Step> {
        match says {
            Err(fault) if self.fault.as_ref() == Some(&fault) => Vec::new(),
            Err(fault) => {
                self.fault = Some(fault.clone());
                vec![Step::TellFailed(fault)]
            }
            Ok(config) => {
                let recovered = self.fault.take().map(|_| Step::TellRecovered);
                let offer = (content != self.offered).then_some(Step::Offer(config));
                self.offered = content;
                recovered.into_iter().chain(offer).collect()
            }
        }
    }

    /// Whether the file says what was last offered: only then is that offered again.
    pub(super) fn stands(&self) -> bool {
        self.fault.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn config(name: &str) -> Config {
        Config::default().with_name(name)
    }

    fn empty() -> FileError {
        FileError::Empty { path: PathBuf::from("lb.toml") }
    }

    fn not_text(at: usize) -> FileError {
        FileError::NotText { path: PathBuf::from("lb.toml"), at }
    }

    #[test]
    fn each_content_is_offered_once() {
        let mut course = Course::default();
        assert_eq!(course.settled(Some(1), Ok(config("a"))), [Step::Offer(config("a"))]);
        assert_eq!(course.settled(Some(1), Ok(config("a"))), []);
        assert_eq!(course.settled(Some(2), Ok(config("b"))), [Step::Offer(config("b"))]);
        assert_eq!(course.settled(Some(1), Ok(config("a"))), [Step::Offer(config("a"))]);
    }

    #[test]
    fn each_fault_is_told_once() {
        let mut course = Course::default();
        assert_eq!(course.settled(None, Err(empty())), [Step::TellFailed(empty())]);
        assert_eq!(course.settled(Some(1), Err(empty())), []);
        assert_eq!(course.settled(Some(2), Err(not_text(7))), [Step::TellFailed(not_text(7))]);
        assert_eq!(course.settled(None, Err(empty())), [Step::TellFailed(empty())]);
        assert!(!course.stands());
    }

    #[test]
    fn a_repaired_file_is_told_and_offered() {
        let mut course = Course::default();
        course.settled(Some(1), Err(empty()));
        let steps = course.settled(Some(2), Ok(config("a")));
        assert_eq!(steps, [Step::TellRecovered, Step::Offer(config("a"))]);
        assert!(course.stands());
    }

    #[test]
    fn what_comes_back_after_a_fault_is_not_offered_again() {
        let mut course = Course::default();
        course.settled(Some(1), Ok(config("a")));
        course.settled(None, Err(empty()));
        assert_eq!(course.settled(Some(1), Ok(config("a"))), [Step::TellRecovered]);
        course.settled(Some(9), Err(not_text(0)));
        let steps = course.settled(Some(2), Ok(config("b")));
        assert_eq!(steps, [Step::TellRecovered, Step::Offer(config("b"))]);
    }
}
