//! Which path is answered by what.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, OriginalUri, Path};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use serde::Serialize;

use super::links::Links;
use super::view::View;
use super::{StatusPages, html, style};
use crate::balancer::Status;
use crate::units::seconds::wall;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// All balancers, for programs.
#[derive(Debug, Serialize)]
struct Overview<'a> {
    #[serde(serialize_with = "wall")]
    at: SystemTime,
    balancers: Vec<Status>,
    gone: Vec<&'a str>,
}

pub(super) fn router<S: Clone + Send + Sync + 'static>(pages: &Arc<StatusPages>) -> Router<S> {
    let with = |answer: fn(&StatusPages, &Asked) -> Response| {
        let pages = Arc::clone(pages);
        move |asked: Asked| async move { answer(&pages, &asked) }
    };
    Router::new()
        .route("/", get(with(index)))
        .route("/status.json", get(with(overview)))
        .route("/{name}", get(with(page)))
        .route("/{name}/status.json", get(with(data)))
        .layer(map_response(guarded))
}

/// What a request says.
#[derive(Debug)]
struct Asked {
    original: Uri,
    uri: Uri,
    headers: HeaderMap,
    /// The part of the path that names a balancer, where there is one and it is text.
    key: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let OriginalUri(original) = OriginalUri::from_request_parts(parts, state).await?;
        let key: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        let (uri, headers) = (parts.uri.clone(), parts.headers.clone());
        Ok(Self { original, uri, headers, key: key.ok().map(|Path(key)| key) })
    }
}

impl Asked {
    fn wants_json(&self) -> bool {
        let accepted = self.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut kinds = accepted
            .flat_map(|value| value.split(','))
            .map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let first = kinds.find(|kind| kind == "application/json" || kind.starts_with("text/html"));
        first.is_some_and(|kind| kind == "application/json")
    }

    fn view(&self) -> View {
        View::of(self.uri.query())
    }
}

fn index(pages: &StatusPages, asked: &Asked) -> Response {
    if asked.wants_json() {
        return overview(pages, asked);
    }
    let read: Vec<_> = pages.shown.iter().map(|shown| (shown, (shown.status)())).collect();
    shown(html::index(&read, &Links::of_index(&asked.original), asked.view()))
}

fn overview(pages: &StatusPages, _asked: &Asked) -> Response {
    let (mut balancers, mut gone) = (Vec::new(), Vec::new());
    for shown in &pages.shown {
        match (shown.status)() {
            Some(status) => balancers.push(status),
            None => gone.push(shown.name.as_str()),
        }
    }
    told(&Overview { at: SystemTime::now(), balancers, gone })
}

fn page(pages: &StatusPages, asked: &Asked) -> Response {
    if asked.wants_json() {
        return data(pages, asked);
    }
    let Some(one) = asked.key.as_deref().and_then(|key| pages.find(key)) else {
        return refused(StatusCode::NOT_FOUND, "there is no balancer of this name");
    };
    let Some(status) = (one.status)() else { return gone() };
    let links = Links::of_page(&asked.original, &asked.uri);
    shown(html::page(one, &status, &links, asked.view()))
}

fn data(pages: &StatusPages, asked: &Asked) -> Response {
    let Some(one) = asked.key.as_deref().and_then(|key| pages.find(key)) else {
        return refused(StatusCode::NOT_FOUND, "there is no balancer of this name");
    };
    (one.status)().map_or_else(gone, |status| told(&status))
}

fn gone() -> Response {
    refused(StatusCode::GONE, "the last handle of this balancer is gone, and so is it")
}

fn refused(code: StatusCode, why: &'static str) -> Response {
    (code, [(CONTENT_TYPE, TEXT)], format!("{why}\n")).into_response()
}

fn shown(page: Markup) -> Response {
    let vary = HeaderValue::from_static("accept");
    ([(CONTENT_TYPE, HTML), (VARY, vary)], page.into_string()).into_response()
}

fn told(what: &impl Serialize) -> Response {
    match serde_json::to_vec(what) {
        Ok(json) => ([(CONTENT_TYPE, JSON)], json).into_response(),
        // A status has nothing that JSON could not say.
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "this could not be said as JSON"),
    }
}

/// Whatever a page shows, it is neither run, nor framed, nor kept, nor told to others.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(style::POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
