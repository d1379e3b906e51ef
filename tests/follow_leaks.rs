//! However the following of a file ends, it leaves neither a task nor a thread nor an open file.
//!
//! A test binary of its own, because it counts what the whole process has.

#![cfg(all(feature = "file", target_os = "linux"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use evenkeel::{Balancer, FileSource};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_secs(60);

/// Threads and open files of this process that belong to a watch.
fn watching() -> (usize, usize) {
    let entries = |path: &str| fs::read_dir(path).unwrap().flatten().map(|entry| entry.path());
    let threads = entries("/proc/self/task")
        .filter_map(|task| fs::read_to_string(task.join("comm")).ok())
        .filter(|name| name.starts_with("notify"))
        .count();
    let files = entries("/proc/self/fd")
        .filter_map(|fd| fs::read_link(fd).ok())
        .filter(|target| target.to_string_lossy().contains("inotify"))
        .count();
    (threads, files)
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, wait).await.unwrap_or_else(|_| unreachable!("never happened: {what}"));
}

async fn nothing_is_left(after: &str) {
    until(&format!("nothing is left after {after}"), || watching() == (0, 0)).await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    until(&format!("no task is left after {after}"), || tasks() == 0).await;
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

/// A balancer that goes with its target, and a source for it.
fn balancer(path: &Path) -> (Balancer<Arc<()>>, std::sync::Weak<()>, FileSource) {
    let target = Arc::new(());
    let weak = Arc::downgrade(&target);
    let balancer = Balancer::builder().endpoint(evenkeel::Endpoint::new("a", target));
    let source = FileSource::new(path).debounce(Duration::from_millis(10)).unwrap();
    (balancer.build().unwrap(), weak, source)
}

#[test]
fn nothing_is_left_however_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, "[strategy]\nkind = 'random'").unwrap();

    runtime().block_on(async {
        let (balancer, target, source) = balancer(&path);
        let worker = balancer.follow(source.clone());
        until("it watches", || watching() == (1, 1)).await;
        until("it applies", || balancer.version().config == 2).await;
        drop(balancer);
        until("the target is gone", || target.strong_count() == 0).await;
        nothing_is_left("the last handle").await;
        assert!(worker.is_finished());
    });

    runtime().block_on(async {
        let (balancer, _, source) = balancer(&path);
        let worker = balancer.follow(source.clone());
        until("it watches", || watching() == (1, 1)).await;
        drop(worker);
        nothing_is_left("the worker").await;
        let worker = balancer.follow(source);
        until("it watches", || watching() == (1, 1)).await;
        worker.stop().await;
        nothing_is_left("a stop").await;
    });

    // At whatever it is doing just then.
    runtime().block_on(async {
        for round in 0..200_u64 {
            let (balancer, target, source) = balancer(&path);
            let worker = balancer.follow(source);
            sleep(Duration::from_micros(round * 100)).await;
            match round % 3 {
                0 => drop((balancer, worker)),
                1 => worker.stop().await,
                _ => {
                    worker.detach();
                    drop(balancer);
                    until("the target is gone", || target.strong_count() == 0).await;
                }
            }
        }
        nothing_is_left("two hundred short lives").await;
    });

    for patience in [0, 5, 50] {
        let runtime = runtime();
        let (balancer, target, source) = balancer(&path);
        let _inside = runtime.enter();
        balancer.follow(source).detach();
        runtime.block_on(sleep(Duration::from_millis(patience)));
        drop(_inside);
        drop(runtime);
        drop(balancer);
        assert_eq!(target.strong_count(), 0);
    }
    runtime().block_on(nothing_is_left("the runtime"));
}
