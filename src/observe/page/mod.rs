//! What balancers do, for a browser and for programs.
//!
//! It reads [`Status`] and nothing else, and changes nothing. Whatever it shows may come
//! from somebody hostile: names of endpoints are what discovery says, errors what servers answer. So
//! all of it is escaped, cut and kept on its line, and a policy lets the page load and run nothing.

mod answer;
mod endpoints;
mod facts;
mod history;
mod html;
mod links;
mod paths;
mod rank;
mod section;
mod shares;
mod style;
mod view;
mod words;

use std::fmt;
use std::sync::Arc;

use axum::Router;

use crate::balancer::{Balancer, Lookout, Status};

/// Pages that show balancers, and the same as JSON.
///
/// | path | answer |
/// | --- | --- |
/// | `/` | all balancers as a page; as JSON if that is what `Accept` asks for |
/// | `/status.json` | all balancers as JSON: `{"at": …, "balancers": [Status, …], "gone": [name, …]}` |
/// | `/{name}` | one balancer as a page, or as JSON likewise |
/// | `/{name}/status.json` | its [`Status`] as JSON |
///
/// `?all` shows every endpoint; without, those in trouble come first and the rest is counted.
/// `?refresh=5` has the page read again every five seconds (1 to 3600).
///
/// It answers `GET` and `HEAD`, and `405` to all else. There is no script in it, and nobody can change
/// anything by it. Still, what it says is not for everybody: serve it where only operators reach it.
///
/// The pages do not keep a balancer alive. One whose last handle is gone is listed as gone, and its
/// own page answers `410`.
///
/// A balancer is found under its name, percent-encoded. If a name is taken, or cannot be a part of a path
/// (empty, `.`, `..`, `status.json`), it gets `~2`, `~3` and so on behind it.
///
/// ```
/// use axum::Router;
/// use evenkeel::{Balancer, Endpoint, StatusPages};
///
/// let users = Balancer::builder().name("users").endpoint(Endpoint::new("a", 1_u8)).build()?;
/// let carts = Balancer::builder().name("carts").endpoint(Endpoint::new("x", "10.0.0.1:80")).build()?;
///
/// let admin: Router =
///     Router::new().nest("/balancers", StatusPages::new().balancer(&users).balancer(&carts).router());
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
#[derive(Default)]
#[must_use = "pages are served by their router"]
pub struct StatusPages {
    shown: Vec<Shown>,
}

/// A balancer that is shown.
struct Shown {
    name: String,
    /// What it is called in paths.
    key: String,
    status: Box<dyn Fn() -> Option<Status> + Send + Sync>,
}

impl StatusPages {
    /// Pages that show nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows a balancer, after those that are shown already.
    pub fn balancer<T: Send + Sync + 'static>(mut self, balancer: &Balancer<T>) -> Self {
        let lookout: Lookout<T> = balancer.lookout();
        let name = balancer.name().to_owned();
        let key = paths::key(&name, |key| self.shown.iter().any(|shown| shown.key == key));
        let status = Box::new(move || lookout.status());
        self.shown.push(Shown { name, key, status });
        self
    }

    /// The router, to be nested where operators reach it. `Router::nest` takes the path without a
    /// slash behind it, `Router::nest_service` with one, too. It has no fallback, so it can be merged
    /// as well, though `/{name}` then takes every path of one part.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        answer::router(&Arc::new(self))
    }

    fn find(&self, key: &str) -> Option<&Shown> {
        self.shown.iter().find(|shown| shown.key == key)
    }
}

impl fmt::Debug for StatusPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.shown.iter().map(|shown| &shown.name);
        f.debug_list().entries(names).finish()
    }
}
