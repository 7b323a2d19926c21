//! Plays the simulator in time: waits for what is due, obeys the buttons, and puts an oximeter on
//! the finger of whoever it is bound to, because in a rehearsal nobody else does.

use crate::clock::Clock;
use crate::ledger::Head;
use crate::transport::Heard;
use crate::transport::simulator::Simulator;
use crate::uplink::Ask;
use minato_protocol::reading::DeviceId;
use minato_protocol::uplink::RequestRefusal;
use std::collections::BTreeSet;
use tokio::sync::{mpsc, watch};

/// Runs until the bench is gone. When the bench is slow the simulated devices wait.
pub(crate) async fn run(
    mut simulator: Simulator,
    clock: Clock,
    mut asks: mpsc::Receiver<Ask>,
    mut head: watch::Receiver<Head>,
    to: mpsc::Sender<Heard>,
) {
    let mut worn = BTreeSet::new();
    for found in simulator.found() {
        if to.send(found).await.is_err() {
            return;
        }
    }
    loop {
        wear(&mut simulator, &mut worn, &head.borrow_and_update(), &clock);
        while let Some(heard) = simulator.poll(clock.now()) {
            if to.send(heard).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = wait(&clock, &simulator) => {}
            changed = head.changed() => if changed.is_err() { return },
            ask = asks.recv() => match ask {
                Some(ask) => obey(&mut simulator, ask, &clock),
                None => return,
            },
        }
    }
}

/// Real devices have no start button that a program can press, and do not fail when told to.
pub(crate) async fn without_devices(mut asks: mpsc::Receiver<Ask>, _to: mpsc::Sender<Heard>) {
    while let Some(ask) = asks.recv().await {
        let (reply, refusal) = match ask {
            Ask::Measure { reply, .. } => (reply, RequestRefusal::NotStartable),
            Ask::Fail { reply, .. } => (reply, RequestRefusal::NotSimulated),
        };
        let _ = reply.send(Err(refusal));
    }
}

async fn wait(clock: &Clock, simulator: &Simulator) {
    match simulator.next_due() {
        Some(due) => clock.wait_until(due).await,
        None => std::future::pending().await,
    }
}

fn wear(simulator: &mut Simulator, worn: &mut BTreeSet<DeviceId>, head: &Head, clock: &Clock) {
    let bound: BTreeSet<_> = head.bindings.iter().map(|(device, _)| device.clone()).collect();
    for device in bound.difference(worn) {
        simulator.wear(device, true, clock.now());
    }
    for device in worn.difference(&bound) {
        simulator.wear(device, false, clock.now());
    }
    *worn = bound;
}

/// Whoever asked may have gone.
fn obey(simulator: &mut Simulator, ask: Ask, clock: &Clock) {
    match ask {
        Ask::Measure { device, reply } => {
            let _ = reply.send(simulator.measure(&device, clock.now()));
        }
        Ask::Fail { device, fault, reply } => {
            let _ = reply.send(simulator.fail(&device, fault, clock.now()));
        }
    }
}
