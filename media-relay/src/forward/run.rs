//! The thread around the engine: it owns the socket and the clock, and feeds what comes.

use super::engine::Engine;
use super::{COMMANDS_MAX, Command};
use crate::net::{Here, UdpPort};
use std::io;
use std::time::Instant;
use tokio::sync::mpsc;

/// Datagrams taken from the socket before what follows from them is sent.
const BATCH: usize = 64;

/// Starts the thread. It ends at [`Command::Stop`] or when nobody holds a sender any more.
pub(crate) fn start(
    port: std::net::UdpSocket,
    here: Here,
    sessions_max: usize,
) -> io::Result<mpsc::Sender<Command>> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("media".to_owned()).spawn(move || {
        runtime.block_on(async move {
            match UdpPort::new(port) {
                Ok(port) => run(port, Engine::new(here, sessions_max, Instant::now()), inbox).await,
                Err(error) => tracing::error!(%error, "the media port cannot be used"),
            }
        });
    })?;
    Ok(commands)
}

async fn run(mut port: UdpPort, mut engine: Engine, mut inbox: mpsc::Receiver<Command>) {
    loop {
        let deadline = tokio::time::Instant::from_std(engine.deadline());
        tokio::select! {
            command = inbox.recv() => {
                let Some(command) = command else { return };
                let stop = matches!(command, Command::Stop);
                engine.command(command, Instant::now());
                port.send(engine.take_transmits()).await;
                if stop {
                    return;
                }
            }
            () = port.readable() => {
                for _ in 0..BATCH {
                    let Some((source, bytes)) = port.receive() else { break };
                    engine.receive(source, bytes, Instant::now());
                }
            }
            () = tokio::time::sleep_until(deadline) => {}
        }
        let now = Instant::now();
        engine.settle(now);
        if now >= engine.deadline() {
            engine.time(now);
        }
        port.send(engine.take_transmits()).await;
    }
}
