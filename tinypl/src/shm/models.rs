//! Threads that wait for room in a buffer of their own process, under every interleaving with few preemptions. (Time stands
//! still: a wake-up that is lost shows.)
use super::Backend;
use super::broker::Broker;
use super::error::ShmError;
use super::keeper::Keeper;
use super::region::Region;
use crate::monitor::lane::Lane;
use crate::pool::Bell;
use crate::pool::stop::{self, Stop, Worker};
use crate::sync::Arc;
use loom::thread::spawn;

/// How much there is. The memory itself is the system's, and nobody touches it.
const ALL: usize = 4096;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.max_branches = 10_000;
    builder.check(model);
}

fn broker() -> Arc<Broker> {
    Arc::new(Broker::new(Region::create(ALL, Backend::Memfd).expect("a page of memory")))
}

/// Each takes all there is, and gives it back.
#[test]
fn who_waits_for_room_gets_it() {
    check(|| {
        let broker = broker();
        let take = {
            let broker = broker.clone();
            move || {
                let grant = broker.reserve(ALL, true).expect("whoever has it gives it back");
                broker.release(grant.key);
            }
        };
        let others = [(), ()].map(|()| spawn(take.clone()));
        take();
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        assert_eq!(broker.figures().map(|figures| figures.free).ok(), Some(ALL));
    });
}

/// One that is to stop gives up, and takes nothing with it.
#[test]
fn who_waits_for_room_can_be_stopped() {
    check(|| {
        let broker = broker();
        let all = broker.reserve(ALL, true).expect("there is room");
        let stop = Arc::<Stop>::default();
        let other = {
            let (broker, stop) = (broker.clone(), stop.clone());
            spawn(move || {
                stop::enlist(Worker::new(stop, Bell::new(), Lane::new()));
                broker.reserve(ALL, true)
            })
        };
        stop.request();
        assert!(matches!(other.join().expect("no panic"), Err(ShmError::Stopped)));
        broker.release(all.key);
        assert!(broker.reserve(ALL, false).is_ok(), "nobody else has it");
    });
}
