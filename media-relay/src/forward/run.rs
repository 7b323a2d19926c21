//! The thread around the engine: it owns the socket and the clock, and feeds what comes.

use super::engine::Engine;
use super::{COMMANDS_MAX, Command};
use crate::net::{Here, UdpPort, UnitEnd};
use std::io;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Readings of the socket before what follows from them is sent.
const READINGS: usize = 4;

/// What follows from datagrams is worked off at once, but not oftener than this: the packets of a
/// frame come one by one and leave together.
const GATHER: Duration = Duration::from_millis(1);

/// Starts the thread. It ends at [`Command::Stop`] or when nobody holds a sender any more.
pub(crate) fn start(
    port: std::net::UdpSocket,
    turn: UnitEnd,
    here: Here,
    sessions_max: usize,
) -> io::Result<mpsc::Sender<Command>> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("media".to_owned()).spawn(move || {
        runtime.block_on(async move {
            match UdpPort::new(port) {
                Ok(port) => {
                    run(port, turn, Engine::new(here, sessions_max, Instant::now()), inbox).await;
                }
                Err(error) => tracing::error!(%error, "the media port cannot be used"),
            }
        });
    })?;
    Ok(commands)
}

async fn run(
    mut port: UdpPort,
    mut turn: UnitEnd,
    mut engine: Engine,
    mut inbox: mpsc::Receiver<Command>,
) {
    let mut settled = Instant::now();
    let mut gathering = false;
    loop {
        let due =
            if gathering { engine.deadline().min(settled + GATHER) } else { engine.deadline() };
        tokio::select! {
            command = inbox.recv() => {
                let Some(command) = command else { return };
                let stop = matches!(command, Command::Stop);
                engine.command(command, Instant::now());
                let mut transmits = engine.take_transmits();
                turn.send(&mut transmits);
                port.send(transmits).await;
                if stop {
                    return;
                }
            }
            () = readable(&port, &mut turn) => {
                let now = Instant::now();
                turn.receive(|source, bytes| engine.receive(source, bytes, now));
                for _ in 0..READINGS {
                    let more = port.receive(|source, bytes| engine.receive(source, bytes, now));
                    if !more {
                        break;
                    }
                }
                gathering = now < settled + GATHER;
                if gathering {
                    continue;
                }
            }
            () = tokio::time::sleep_until(due.into()) => {}
        }
        let now = Instant::now();
        (settled, gathering) = (now, false);
        engine.settle(now);
        if now >= engine.deadline() {
            engine.time(now);
        }
        let mut transmits = engine.take_transmits();
        turn.send(&mut transmits);
        port.send(transmits).await;
    }
}

/// Waits until something has come, by the socket or from TURN.
async fn readable(port: &UdpPort, turn: &mut UnitEnd) {
    tokio::select! {
        () = port.readable() => {}
        () = turn.readable() => {}
    }
}
