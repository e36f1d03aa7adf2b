//! Worker processes by other means: this executable, started again with arguments that say what to do.

pub mod ipc;
pub mod python;
pub mod socket;

use crate::jobs::{ADD_ONE, BACK, Job, THERE, THERE_AND_BACK, WHOLE_BACK, WHOLE_THERE, WHOLE_THERE_AND_BACK};
use std::env;
use std::process::{Child, Command, Stdio, exit};

/// The first argument of a worker.
const WORKER: &str = "--worker";

/// Where this process was started as a worker of a peer: does its work, and ends it.
///
/// Call it first in `main`.
pub fn work_if_asked() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [WORKER, "socket", job] => match job {
            _ if job == ADD_ONE.name => socket::work(ADD_ONE),
            _ if job == THERE_AND_BACK.name => socket::work(THERE_AND_BACK),
            _ if job == THERE.name => socket::work(THERE),
            _ if job == BACK.name => socket::work(BACK),
            _ if job == WHOLE_THERE_AND_BACK.name => socket::work(WHOLE_THERE_AND_BACK),
            _ if job == WHOLE_THERE.name => socket::work(WHOLE_THERE),
            _ if job == WHOLE_BACK.name => socket::work(WHOLE_BACK),
            _ => panic!("no job {job}"),
        },
        [WORKER, "ipc", job, server] => match job {
            _ if job == ADD_ONE.name => ipc::work(ADD_ONE, server),
            _ if job == THERE_AND_BACK.name => ipc::work(THERE_AND_BACK, server),
            _ => panic!("no job {job}"),
        },
        [WORKER, ..] => panic!("no such worker: {args:?}"),
        _ => return,
    }
    exit(0)
}

/// A worker process; dropped, it is waited for.
#[derive(Debug)]
struct Worker(Child);

impl Worker {
    fn start<I, O>(means: &str, job: Job<I, O>, more: &[&str], stdin: Stdio) -> Self {
        let own = env::current_exe().expect("this executable");
        let child = Command::new(own).args([WORKER, means, job.name]).args(more).stdin(stdin).spawn();
        Self(child.expect("a worker starts"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let ended = self.0.wait().expect("it was started");
        if !std::thread::panicking() {
            assert!(ended.success(), "a worker failed: {ended}");
        }
    }
}
