//! Real servers, each a process of its own, behind one balancer, while a fixed rate of requests
//! comes in, whatever becomes of them.
//!
//! One server is killed (`SIGKILL`) and started again, one is stopped (`SIGSTOP`) and continued, a
//! weight is set and taken back, a fifth server joins and is drained and removed. A request's time
//! runs from the instant at which it should have been sent, so that none is left out of the
//! latencies because those before it were slow. At the end stand a table with a line for each
//! twelfth of the run, and the promises that were checked; the exit code says whether all were
//! kept. `docs/load_test.md` says how to read it.
//!
//! ```text
//! cargo run --release --example load_test --features http -- --seconds 120
//! ```
//!
//! `--rate N` sends N requests a second (1,000 if it is left out), `--retry` asks another server
//! once where an attempt has failed, as a caller may. Requests go to 127.0.0.1 and nowhere else.

#[cfg(unix)]
mod arguments;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod fleet;
#[cfg(unix)]
mod ledger;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod pacer;
#[cfg(unix)]
mod promises;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod schedule;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod table;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let asked = match arguments::read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(wrong) => {
            eprintln!("{wrong}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let came = match asked {
        arguments::Asked::Serve { name, address } => server::serve(&name, address).map(|()| true),
        arguments::Asked::Run(plan) => run::run(&plan),
    };
    match came {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load_test: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("load_test stops and continues its servers by signals, which only a Unix has");
    std::process::ExitCode::from(2)
}
