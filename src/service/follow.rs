//! Bodies that are followed to their end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::balancer::Sending;
use crate::classify::{Classify, Outcome};
use crate::service::until::sealed::Sealed;
use crate::service::{Answered, Until};

/// The request ends with its response's body.
#[derive(Clone, Copy, Debug, Default)]
pub struct UntilEnd;

impl Sealed for UntilEnd {}

impl<B, Err, T, C> Until<Response<B>, Err, T, C> for UntilEnd
where
    B: Body,
    C: Classify<Response<B>, Err> + Clone,
{
    type Response = Response<FollowedBody<B, T, C>>;

    fn complete(answered: Answered<'_, Response<B>, T, C>) -> Self::Response {
        let Answered { response, lease, head, classify } = answered;
        let asks = !classify.is_final(&response);
        let end: End<C> = if asks { <C as Classify<_, Err>>::end } else { |_, head, _| head };
        response.map(|body| {
            let mut following =
                Following { lease: lease.take(), head, classify: classify.clone(), end };
            if body.is_end_stream() {
                following.finish(None);
                return FollowedBody { body, following: None };
            }
            following.lease.iter_mut().for_each(Sending::answered);
            FollowedBody { body, following: Some(following) }
        })
    }
}

type End<C> = fn(&C, Outcome, Option<&HeaderMap>) -> Outcome;

struct Following<T, C> {
    /// Taken out when the request is judged.
    lease: Option<Sending<T>>,
    head: Outcome,
    classify: C,
    end: End<C>,
}

impl<T, C> Following<T, C> {
    fn finish(mut self, trailers: Option<&HeaderMap>) {
        let outcome = (self.end)(&self.classify, self.head, trailers);
        self.judge(outcome);
    }

    fn judge(&mut self, outcome: Outcome) {
        if let Some(mut lease) = self.lease.take() {
            lease.end(outcome);
        }
    }
}

impl<T, C> Drop for Following<T, C> {
    fn drop(&mut self) {
        // Who does not read the page of an error has seen the error all the same.
        if self.head != Outcome::Success {
            self.judge(self.head);
        }
    }
}

pin_project! {
    /// A response's body that holds its endpoint until it has ended.
    ///
    /// The request is judged when the body ends, by its trailers where there are some; an error of
    /// the body is a failure. Dropped before its end it releases the endpoint; unless the head was
    /// bad enough, that judges nothing: the caller went away.
    pub struct FollowedBody<B, T, C> {
        #[pin]
        body: B,
        following: Option<Following<T, C>>,
    }
}

impl<B, T, C> FollowedBody<B, T, C> {
    /// The body that is followed.
    pub fn get_ref(&self) -> &B {
        &self.body
    }
}

impl<B: Body, T, C> Body for FollowedBody<B, T, C> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        match &frame {
            None => this.following.take().into_iter().for_each(|it| it.finish(None)),
            Some(Err(_)) => {
                if let Some(mut following) = this.following.take() {
                    following.judge(Outcome::failure());
                }
            }
            Some(Ok(frame)) => {
                let trailers = frame.trailers_ref();
                // Whoever knows that this was the last frame does not ask for another.
                if trailers.is_some() || this.body.is_end_stream() {
                    this.following.take().into_iter().for_each(|it| it.finish(trailers));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B, T, C> fmt::Debug for FollowedBody<B, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowedBody")
            .field("following", &self.following.is_some())
            .finish_non_exhaustive()
    }
}
