//! The thread around the engine: it owns the sockets and the clock, and feeds what comes.

use super::engine::Engine;
use super::{COMMANDS_MAX, Command};
use crate::net::{Here, Ports, TcpPort, UnitEnd};
use std::io;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Readings of the sockets before what follows from them is sent.
const READINGS: usize = 4;

/// What follows from datagrams is worked off at once, but not oftener than this: the packets of a
/// frame come one by one and leave together.
const GATHER: Duration = Duration::from_millis(1);

/// Starts the thread. It ends at [`Command::Stop`] or when nobody holds a sender any more.
pub(crate) fn start(
    udp: std::net::UdpSocket,
    tcp: TcpPort,
    turn: UnitEnd,
    here: Here,
    sessions_max: usize,
) -> io::Result<mpsc::Sender<Command>> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("media".to_owned()).spawn(move || {
        runtime.block_on(async move {
            match Ports::new(udp, tcp, turn) {
                Ok(ports) => {
                    run(ports, Engine::new(here, sessions_max, Instant::now()), inbox).await
                }
                Err(error) => tracing::error!(%error, "the media port cannot be used"),
            }
        });
    })?;
    Ok(commands)
}

async fn run(mut ports: Ports, mut engine: Engine, mut inbox: mpsc::Receiver<Command>) {
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
                ports.send(engine.take_transmits()).await;
                if stop {
                    return;
                }
            }
            () = ports.readable() => {
                let now = Instant::now();
                for _ in 0..READINGS {
                    let more = ports.receive(|source, bytes| engine.receive(source, bytes, now));
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
        ports.send(engine.take_transmits()).await;
    }
}
