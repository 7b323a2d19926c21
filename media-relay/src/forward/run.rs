//! The thread around the engine: it owns the sockets and the clock, and feeds what comes.

use super::engine::Engine;
use super::{COMMANDS_MAX, Command};
use crate::net::{Here, Ports, TcpPort, UnitEnd};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Readings of the sockets in one go. What is left then is read after what follows from them was
/// sent.
const READINGS: usize = 16;

/// While no media flows what comes is worked off at once, but not oftener than this.
const REST: Duration = Duration::from_millis(1);

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
    let mut commands = VecDeque::new();
    loop {
        let (now, due) = (Instant::now(), engine.deadline());
        if engine.is_busy(now) {
            // While media flows datagrams stay in the sockets until the next beat; the sockets keep
            // when each arrived. The packets of a frame then leave together, and every session
            // looks at the time once for all of them. The thread is the engine's own and sleeps
            // itself: the reactor would wake it for every datagram.
            let until = engine.beats.after(now).min(due);
            std::thread::sleep(until.saturating_duration_since(now));
        } else {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => commands.push_back(command),
                    None => return,
                },
                () = ports.readable() => {
                    let until = (settled + REST).min(due);
                    std::thread::sleep(until.saturating_duration_since(Instant::now()));
                }
                () = tokio::time::sleep_until(due.into()) => {}
            }
        }
        let now = Instant::now();
        for _ in 0..READINGS {
            let take = |source, bytes: &[u8], at| engine.receive(source, bytes, at, now);
            if !ports.receive(now, take) {
                break;
            }
        }
        while let Some(command) = commands.pop_front().or_else(|| inbox.try_recv().ok()) {
            let stop = matches!(command, Command::Stop);
            engine.command(command, now);
            if stop {
                return ports.send(engine.take_transmits()).await;
            }
        }
        engine.time(now);
        ports.send(engine.take_transmits()).await;
        settled = now;
    }
}
