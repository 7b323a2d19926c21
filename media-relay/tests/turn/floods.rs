//! Floods against a server on which somebody honest is in a call: the call goes on, and memory
//! stays bounded.

use super::client::{Client, Wire};
use super::stage::{Stage, credential};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long each flood lasts.
const FLOOD: Duration = Duration::from_secs(3);
/// The longest time without sound that an honest call may have.
const GAP_MAX: Duration = Duration::from_secs(1);
/// What the process may grow by; everything that a flood can fill has a bound, and this is their
/// sum with room for the flooders themselves, which are in the same process.
const GROWTH_MAX_KB: u64 = 64 * 1024;
/// Sockets from which one flood comes.
const SOURCES: usize = 300;

/// Sends back what it gets.
fn echo(ending: &AtomicBool, socket: &UdpSocket) {
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut bytes = [0; 2_048];
    while !ending.load(Ordering::Relaxed) {
        if let Ok((len, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..len], from);
        }
    }
}

/// Speaks 50 times a second; the longest time in which nothing came back.
fn longest_gap(client: &mut Client, channel: u16, ending: &AtomicBool) -> Duration {
    let Wire::Udp(socket) = &client.wire else { panic!("by UDP") };
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let (mut heard, mut spoken) = (Instant::now(), Instant::now());
    let mut longest = Duration::ZERO;
    while !ending.load(Ordering::Relaxed) {
        if spoken.elapsed() >= Duration::from_millis(20) {
            spoken = Instant::now();
            client.send_by_channel(channel, b"sound");
        }
        if client.receive_data().is_some() {
            heard = Instant::now();
        }
        longest = longest.max(heard.elapsed());
    }
    longest
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Has a call while `flood` is repeated for a while.
fn call_goes_on(stage: &Stage, mut flood: impl FnMut()) {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut honest = Client::new(Wire::udp(stage.udp()), credential("honest", 600));
    honest.allocate().unwrap();
    honest.bind(0x4001, peer.local_addr().unwrap()).unwrap();
    let before = resident_kb();
    let ending = AtomicBool::new(false);
    let gap = std::thread::scope(|scope| {
        scope.spawn(|| echo(&ending, &peer));
        let call = scope.spawn(|| longest_gap(&mut honest, 0x4001, &ending));
        let since = Instant::now();
        while since.elapsed() < FLOOD {
            flood();
        }
        ending.store(true, Ordering::Relaxed);
        call.join().unwrap()
    });
    assert!(gap <= GAP_MAX, "a gap of {gap:?}");
    let grown = resident_kb().saturating_sub(before);
    assert!(grown <= GROWTH_MAX_KB, "grown by {grown} kB");
    // And it can still say what it wants.
    honest.refresh(600).unwrap();
}

fn sources(server: SocketAddr) -> Vec<UdpSocket> {
    let source = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    std::iter::repeat_with(source).take(SOURCES).collect()
}

#[test]
fn requests_of_nobody_and_garbage_end_no_call() {
    let stage = Stage::on("127.0.0.1");
    let nobody: &[u8] = &[
        0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, //
        0, 0x19, 0, 4, 17, 0, 0, 0,
    ];
    let torn = &nobody[..23];
    let garbage = [0xff; 1_400];
    let channel = [0x40, 1, 0, 200, 9, 9];
    for message in [nobody, torn, &garbage, &channel] {
        let sources = sources(stage.udp());
        call_goes_on(&stage, || {
            for source in &sources {
                // A full buffer is what a flood is about.
                let _ = source.send(message);
            }
        });
    }
    stage.stop();
}

#[test]
fn who_takes_all_it_may_takes_nothing_from_others() {
    let stage = Stage::on("127.0.0.1");
    let mut taken = Vec::new();
    let (mut refused, mut users) = (0, 0..4);
    let mut user = users.next();
    call_goes_on(&stage, || {
        let name = format!("greedy-{}", user.unwrap_or_default());
        let mut client = Client::new(Wire::udp(stage.udp()), credential(&name, 600));
        match client.allocate() {
            Ok(_) => taken.push(client),
            Err(code) => {
                assert_eq!(code, 486);
                refused += 1;
                user = users.next().or(user);
            }
        }
    });
    assert!(refused > 0);
    assert_eq!(taken.len(), 4 * minato_relay::TURN_PER_USER_MAX);
    stage.stop();
}

#[test]
fn connections_that_begin_and_do_not_go_on_end_no_call() {
    let stage = Stage::on("127.0.0.1");
    // As much of a TLS hello as says that it is one; for TURN the half of a header.
    let begun: [(SocketAddr, &[u8]); 3] = [
        (stage.tcp(), b""),
        (stage.tcp(), &[0, 3, 0, 8, 0x21]),
        (stage.tls(), &[0x16, 3, 1, 2, 0, 1, 0]),
    ];
    for (server, beginning) in begun {
        let mut open = Vec::new();
        call_goes_on(&stage, || {
            // What is refused is closed by the server and costs a new one.
            if open.len() >= SOURCES {
                open.remove(0);
            }
            let Ok(mut stream) = TcpStream::connect(server) else { return };
            let _ = stream.write_all(beginning);
            open.push(stream);
            for slow in open.iter_mut().rev().take(10) {
                let _ = slow.write_all(&[0]);
            }
        });
        assert!(!open.is_empty());
    }
    stage.stop();
}
