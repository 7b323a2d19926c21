//! What one publisher and some receivers cost the forwarding thread: `cargo run --release -p
//! minato-relay --example fan -- [receivers, at most 5] [pictures a second] [bytes of each]`.
//!
//! Sound is 50 packets a second, pictures come in bursts as frames do. Clients are of another
//! stack and run in this process on threads of their own; only the thread `media` is counted.

#[path = "../tests/relay/link.rs"]
#[allow(dead_code)]
mod link;
#[path = "../tests/relay/peer.rs"]
#[allow(dead_code)]
mod peer;
#[path = "../tests/relay/stack.rs"]
#[allow(dead_code)]
mod stack;
#[path = "../tests/relay/stage.rs"]
#[allow(dead_code)]
mod stage;

use minato_protocol::ParticipantId;
use minato_protocol::media::PartyRole;
use peer::{Peer, Sort};
use stage::{FACE, TestRelay, claims};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const WARM_UP: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(15);
const FRAMES_A_SECOND: u64 = 30;

/// CPU time of the forwarding thread.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let named = |path: &std::path::Path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "media")
    };
    let media = tasks.map(|task| task.path()).find(|path| named(path)).expect("the thread runs");
    let text = std::fs::read_to_string(media.join("schedstat")).expect("schedstat");
    let ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.expect("a number"))
}

async fn publish(peer: &Peer, pictures: u64) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 / FRAMES_A_SECOND));
    let (mut sound, mut picture, mut owed) = (0u16, 0u16, 0);
    loop {
        ticks.tick().await;
        owed += 50;
        while owed >= FRAMES_A_SECOND {
            owed -= FRAMES_A_SECOND;
            peer.speak(sound).await;
            sound = sound.wrapping_add(1);
        }
        for _ in 0..pictures / FRAMES_A_SECOND {
            peer.show(picture, picture.is_multiple_of(100)).await;
            picture = picture.wrapping_add(1);
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let receivers = numbers.next().unwrap_or(5).clamp(1, 5);
    let pictures = numbers.next().unwrap_or(340);
    let bytes = usize::try_from(numbers.next().unwrap_or(400)).expect("few");
    let relay = TestRelay::start().await;
    let people: Vec<_> = (1..=receivers + 1).map(ParticipantId).collect();
    relay.signaling().await.desire(&people).await;
    let delivered = Arc::new(AtomicU64::new(0));
    let mut publisher =
        Peer::join(&relay, &claims(people[0], PartyRole::Doctor, FACE), Sort::Page).await;
    publisher.picture_bytes = bytes;
    for person in &people[1..] {
        let peer = Peer::join(&relay, &claims(*person, PartyRole::Guest, FACE), Sort::Page).await;
        let delivered = delivered.clone();
        tokio::spawn(async move {
            let mut arrived = peer.arrived.lock().await;
            while let Some(next) = arrived.recv().await {
                if !next.packet.payload.is_empty() {
                    delivered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    let measure = async {
        tokio::time::sleep(WARM_UP).await;
        let (packets, before) = (delivered.load(Ordering::Relaxed), cpu());
        tokio::time::sleep(MEASURED).await;
        (delivered.load(Ordering::Relaxed) - packets, cpu() - before)
    };
    let (packets, spent) = tokio::select! {
        () = publish(&publisher, pictures) => unreachable!("it goes on"),
        measured = measure => measured,
    };
    let in_a_second = pictures / FRAMES_A_SECOND * FRAMES_A_SECOND + 50;
    let wanted = in_a_second * receivers * MEASURED.as_secs();
    eprintln!(
        "1 to {receivers}, {in_a_second} packets/s in: {packets} of {wanted} delivered, \
         {spent:?} of CPU, {:.1} CPU-seconds per million",
        spent.as_secs_f64() * 1e6 / packets as f64
    );
}
