//! A run from its beginning to its verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evenkeel::{Balancer, BoxError, Config, EndpointStatus, Status};
use http::Uri;
use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::spawn_blocking;
use tokio::time::{interval, timeout};

use crate::arguments::{Plan, SPANS};
use crate::client::Client;
use crate::clock::now;
use crate::faults::Faults;
use crate::fleet::Server;
use crate::ledger::{Ledger, span_of};
use crate::pacer::{self, Paced};
use crate::schedule::{Log, Stage};
use crate::{memory, promises, table};

/// All that is known of a run when it is over.
pub(crate) struct Record {
    pub(crate) plan: Plan,
    pub(crate) paced: Vec<Paced>,
    pub(crate) ledger: Ledger,
    /// The most that this process held in memory, for each span.
    pub(crate) memory: Vec<Option<u64>>,
    pub(crate) log: Vec<(Duration, String)>,
    pub(crate) status: Status,
    /// What the server had that was there for a while.
    pub(crate) left: EndpointStatus,
}

/// Whether all promises were kept.
pub(crate) fn run(plan: &Plan) -> Result<bool, BoxError> {
    // Servers die with the thread that starts them: `block_on` stays on this one.
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let record = tokio::select! {
            record = record(*plan) => record?,
            _ = tokio::signal::ctrl_c() => return Err("interrupted".into()),
        };
        print!("{}", table::of(&record));
        let promises = promises::check(&record);
        promises.iter().for_each(|promise| println!("{promise}"));
        Ok(promises.iter().all(promises::Promise::is_kept))
    })
}

/// Time to come to a start, and for the last answers.
const A_WHILE: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_secs(30);

async fn record(plan: Plan) -> Result<Record, BoxError> {
    let mut servers = Vec::new();
    for name in ["a", "b", "c", "d"] {
        servers.push(Server::start(name).await?);
    }
    let balancer = balancer(&plan, &servers)?;
    let _settling = balancer.start();
    let client = Client::new(&balancer, plan.retries);

    let began = now() + A_WHILE;
    let (log, faults) = (Arc::new(Log::new(began)), Arc::new(Faults::default()));
    tokio::spawn(listen(balancer.clone(), Arc::clone(&log)));
    let memory = Arc::new(Mutex::new(vec![None; SPANS as usize]));
    let weighing = tokio::spawn(weigh(plan, began, Arc::clone(&memory)));

    let (done, mut coming) = unbounded_channel();
    let mut ledger = Ledger::new(plan, began, Arc::clone(&faults));
    let counting = tokio::spawn(async move {
        while let Some(done) = coming.recv().await {
            ledger.note(&done);
        }
        ledger
    });
    let pacing = pacer::start(plan, began, client, done);

    let (balancer, faults, log) = (&balancer, &*faults, &*log);
    let left = Stage { plan: &plan, began, balancer, faults, log }.play(&mut servers).await?;
    let paced = spawn_blocking(|| pacing.join()).await?.map_err(|_| "the pacer panicked")?;
    weighing.abort();
    let hangs = |_| "requests have not come to an end";
    let ledger = timeout(LONGEST, counting).await.map_err(hangs)??;
    let memory = memory.lock().clone();
    let (log, status) = (log.lines(), balancer.status());
    Ok(Record { plan, paced, ledger, memory, log, status, left })
}

/// Defaults, but for the time limit. A run that is shorter than two minutes has shorter times.
fn balancer(plan: &Plan, servers: &[Server]) -> Result<Balancer<Uri>, BoxError> {
    let millis = |seconds| plan.scaled(Duration::from_secs(seconds)).as_millis();
    let settings = format!(
        "name = 'load_test'\n\
         [limits]\nattempt_timeout = '1s'\n\
         [strategy]\nfailure_penalty = '{}ms'\n\
         [outlier]\ninterval = '{}ms'\nbase_ejection_time = '{}ms'\n\
         [slow_start]\nwindow = '{}ms'\n",
        millis(5),
        millis(10),
        millis(30),
        millis(30),
    );
    let endpoints = servers.iter().map(Server::endpoint).collect::<Result<Vec<_>, _>>()?;
    let settings = Config::from_toml(&settings)?;
    Ok(Balancer::builder().config(settings).endpoints(endpoints).build()?)
}

async fn listen(balancer: Balancer<Uri>, log: Arc<Log>) {
    let mut events = balancer.subscribe();
    // So that listening keeps no balancer.
    drop(balancer);
    while let Some(event) = events.recv().await {
        log.note(event);
    }
}

async fn weigh(plan: Plan, began: Instant, most: Arc<Mutex<Vec<Option<u64>>>>) {
    let mut ticks = interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let Some(after) = now().checked_duration_since(began) else { continue };
        let mut most = most.lock();
        if let Some(most) = most.get_mut(span_of(&plan, after)) {
            *most = memory::resident().max(*most);
        }
    }
}
