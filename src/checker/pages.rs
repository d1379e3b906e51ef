//! Calling the pager.

use std::future::pending;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::balancer::{Call, Calling};
use crate::error::{BoxError, panic_text};

/// The pause after a call that came to nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells the pager each alarm, one after the other; never ready, for it is not what ends a worker.
pub(super) async fn call<T: Send + Sync + 'static>(calling: Option<Calling<T>>) {
    if let Some(calling) = calling {
        call_in_turn(&calling).await;
    }
    pending::<()>().await;
}

async fn call_in_turn<T: Send + Sync + 'static>(calling: &Calling<T>) {
    let Some(_turn) = calling.turn().await else { return };
    // In a task of its own, so that neither its panic nor a thread that it blocks are ours. It ends
    // with this future.
    let mut tasks = JoinSet::new();
    while let Some(Call { pager, page, limit }) = calling.next().await {
        let alarm = page.alarm.clone();
        tasks.spawn(async move { timeout(limit, pager.page(alarm)).await });
        let answer: Result<(), BoxError> = match tasks.join_next().await {
            None => Ok(()),
            Some(Ok(Ok(answer))) => answer,
            Some(Ok(Err(_elapsed))) => Err(format!("no answer within {limit:?}").into()),
            Some(Err(error)) => Err(match error.try_into_panic() {
                Ok(panic) => match panic_text(&*panic) {
                    Some(text) => format!("the pager panicked: {text}").into(),
                    None => "the pager panicked".into(),
                },
                Err(error) => error.into(),
            }),
        };
        let failed = answer.is_err();
        calling.ended(page, answer);
        if failed {
            sleep(PAUSE).await;
        }
    }
}
