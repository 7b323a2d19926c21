//! Keepers come and go; what is durable, and what was carried out once, stays.

use super::*;
use crate::log::MemoryLog;
use crate::staff::{Command, Reservation, Staff};
use minato_protocol::{RoomId, StaffId, TicketId};

fn shelf(keepers_max: usize) -> Shelf<Staff> {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::default());
    Shelf::bounded(log, Clock::start(), Bell::default(), keepers_max)
}

fn stream(number: u64) -> StreamId {
    StreamId::staff(StaffId(number))
}

fn reserve(ticket: u64) -> Command {
    Command::ReserveDoctor(Reservation { room: RoomId(1), ticket: TicketId(ticket), epoch: 1 })
}

async fn reserved(shelf: &Shelf<Staff>, number: u64) -> Option<TicketId> {
    let seen = shelf.see(&stream(number)).await.expect("readable");
    seen.state.reserved.map(|(standing, _)| standing.ticket)
}

#[tokio::test]
async fn keepers_of_unused_streams_end_and_their_streams_still_work() {
    let shelf = shelf(8);
    let key = CommandKey { id: 7, command: 1 };
    shelf.submit(&stream(0), Some(key), reserve(1)).await.expect("free");
    for number in 1..100 {
        shelf.submit(&stream(number), None, reserve(number)).await.expect("free");
        assert!(shelf.keepers() <= 8, "{} keepers", shelf.keepers());
    }
    // Made anew from the log: the state, the version, and which presses were carried out.
    assert_eq!(reserved(&shelf, 0).await, Some(TicketId(1)));
    let again = shelf.submit(&stream(0), Some(key), reserve(1)).await.expect("the same press");
    assert_eq!((again.before, again.events.len(), again.seen.version), (Some(1), 0, 1));
    let other = CommandKey { command: 2, ..key };
    let reused = shelf.submit(&stream(0), Some(other), reserve(2)).await;
    assert_eq!(reused.err(), Some(Code::KeyReused));
    let busy = shelf.submit(&stream(0), None, reserve(2)).await;
    assert_eq!(busy.err(), Some(Code::DoctorBusy));
}

#[tokio::test]
async fn the_streams_used_last_stay() {
    let shelf = shelf(8);
    for number in 0..9 {
        shelf.see(&stream(0)).await.expect("readable");
        shelf.see(&stream(number)).await.expect("readable");
    }
    let kept = shelf.with(|places| places.by_stream.contains_key(&stream(0)));
    assert!(kept && shelf.keepers() == 6, "{} keepers", shelf.keepers());
}

#[tokio::test]
async fn a_stream_at_work_is_not_closed_even_if_nobody_waits_for_it_any_more() {
    let shelf = shelf(4);
    let slot = shelf.slot(&stream(0));
    shelf.opened(&slot, &stream(0)).await.expect("readable");
    // On this one thread the keeper does not run before the next await: the job is on its way.
    let (reply, _gone) = oneshot::channel();
    let job = Job { key: None, command: Some(reserve(1)), reply, _in_use: Arc::clone(&slot) as _ };
    assert!(slot.get().expect("open").mailbox.try_send(job).is_ok());
    drop(slot);
    shelf.with(|places| places.tidy(0));
    assert_eq!(shelf.keepers(), 1);
    let busy = shelf.submit(&stream(0), None, reserve(2)).await;
    assert_eq!(busy.err(), Some(Code::DoctorBusy), "the same keeper knew of it");
    shelf.with(|places| places.tidy(0));
    assert_eq!(shelf.keepers(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_keepers_change_one_of_many_gets_the_doctor_and_everybody_sees_it() {
    let shelf = Arc::new(shelf(2));
    for doctor in 0..50u64 {
        let mut asking = tokio::task::JoinSet::new();
        for ticket in 0..8u64 {
            let shelf = Arc::clone(&shelf);
            asking.spawn(async move {
                // Other streams push this one off the shelf all the time.
                shelf.see(&stream(1_000 + 8 * doctor + ticket)).await.expect("readable");
                let won = shelf.submit(&stream(doctor), None, reserve(ticket)).await.is_ok();
                let seen = reserved(&shelf, doctor).await;
                assert!(seen.is_some(), "somebody has been quicker at the latest now");
                won.then_some(ticket)
            });
        }
        let won: Vec<u64> = asking.join_all().await.into_iter().flatten().collect();
        let [winner] = won[..] else { panic!("{won:?}") };
        assert_eq!(reserved(&shelf, doctor).await, Some(TicketId(winner)));
    }
}
