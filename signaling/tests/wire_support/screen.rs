//! A screen that stays alive in the background, and a raw one that does as it is told.

use super::http::Socket;
use super::seen::{Seen, Told};
use super::{Broker, PATIENCE};
use futures_util::{SinkExt as _, StreamExt as _};
use minato_protocol::act::{Act, Outcome};
use minato_protocol::view::ViewName;
use minato_protocol::wire::{FromScreen, Have, ToScreen, VERSION};
use minato_protocol::{Code, Role};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;

pub(crate) type Answer = Told;

/// A key as a page draws one.
pub(crate) fn press_name() -> String {
    static PRESSES: AtomicU64 = AtomicU64::new(0);
    format!("press-{:08}", PRESSES.fetch_add(1, Ordering::Relaxed))
}

/// A page: answers pings and keeps what it is told, whatever the test does meanwhile.
#[derive(Debug)]
pub(crate) struct Screen {
    say: mpsc::UnboundedSender<Message>,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Receiver<u64>,
    pump: JoinHandle<()>,
}

impl Screen {
    /// A screen with all its views.
    pub(crate) async fn open(broker: &Broker, cookie: &str) -> Self {
        Self::resume(broker, cookie, Vec::new()).await
    }

    /// A screen that kept something from before.
    pub(crate) async fn resume(broker: &Broker, cookie: &str, have: Vec<Have>) -> Self {
        let screen = Self::connect(broker, cookie, have).await;
        screen.until("the greeting is complete", is_greeted).await;
        screen
    }

    /// A screen that said hello.
    pub(crate) async fn connect(broker: &Broker, cookie: &str, have: Vec<Have>) -> Self {
        let socket = broker.dial("/ws", Some(cookie)).await.expect("the broker listens");
        let (say, said) = mpsc::unbounded_channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (tell, changed) = watch::channel(0);
        let pump = tokio::spawn(pump(socket, said, Arc::clone(&seen), tell));
        let screen = Self { say, seen, changed, pump };
        screen.send(&FromScreen::Hello { version: VERSION, have });
        screen
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panicked with it")
    }

    /// A fact about what the screen shows now.
    pub(crate) fn shows<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen())
    }

    pub(crate) fn send(&self, message: &FromScreen) {
        self.send_text(serde_json::to_string(message).expect("plain"));
    }

    pub(crate) fn send_text(&self, text: String) {
        // A connection that ended takes nothing; the test finds out by what it waits for.
        let _ = self.say.send(Message::text(text));
    }

    /// Waits until the screen shows something.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let mut changed = self.changed.clone();
        let deadline = Instant::now() + PATIENCE;
        loop {
            changed.borrow_and_update();
            {
                let seen = self.seen();
                assert_eq!(seen.wrong, None, "while waiting until {what}");
                if holds(&seen) {
                    return;
                }
                assert!(!seen.over, "ended with {:?} before {what}", seen.bye);
            }
            if timeout_at(deadline, changed.changed()).await.is_err() {
                panic!("never: {what}\n{:#?}", self.seen().tables);
            }
        }
    }

    /// Waits until something is true and gives it.
    pub(crate) async fn find<T>(&self, what: &str, look: impl Fn(&Seen) -> Option<T>) -> T {
        self.until(what, |seen| look(seen).is_some()).await;
        self.shows(look).expect("it was there")
    }

    /// Presses once and waits for the answer.
    pub(crate) async fn press(&self, act: Act) -> Answer {
        self.press_as(&press_name(), act).await
    }

    /// The same with a key of one's own; waits for one more answer to it.
    pub(crate) async fn press_as(&self, key: &str, act: Act) -> Answer {
        let answers = |seen: &Seen| seen.answers.get(key).map_or(0, Vec::len);
        let before = self.shows(answers);
        let what = format!("{act:?} is answered");
        self.send(&FromScreen::Do { key: key.into(), act });
        self.until(&what, |seen| answers(seen) > before).await;
        self.shows(|seen| seen.answers[key][before].clone())
    }

    /// Presses what has to be allowed.
    pub(crate) async fn must(&self, act: Act) -> Outcome {
        let what = format!("{act:?}");
        self.press(act).await.unwrap_or_else(|refused| panic!("{what}: {refused:?}"))
    }

    /// Presses what has to be refused.
    pub(crate) async fn refused(&self, act: Act) -> Code {
        let what = format!("{act:?}");
        self.press(act).await.expect_err(&what).0
    }

    /// Waits for the end and why.
    pub(crate) async fn end(&self) -> Option<Code> {
        self.until("the connection ends", |seen| seen.over).await;
        self.shows(|seen| seen.bye)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

fn is_greeted(seen: &Seen) -> bool {
    use ViewName::{Alerts, Devices, Doctors, Held, Kits, Place, Rooms, Tickets, Visits};
    let Some(you) = seen.welcomes.last() else { return false };
    let wanted: &[ViewName] = match you.role {
        _ if you.kit.is_some() => &[Kits, Place, Visits],
        _ if you.ticket.is_some() => &[Place, Visits],
        Role::Coordinator => &[Rooms, Tickets, Doctors, Alerts],
        Role::Doctor => &[Rooms, Tickets, Doctors, Visits, Alerts],
        Role::Nurse => &[Rooms, Tickets, Doctors, Visits, Devices, Held, Alerts, Kits],
        Role::Patient => &[Place, Visits],
    };
    wanted.iter().all(|view| seen.tables.contains_key(view) || seen.unchanged.contains(view))
}

async fn pump(
    mut socket: Socket,
    mut said: mpsc::UnboundedReceiver<Message>,
    seen: Arc<Mutex<Seen>>,
    tell: watch::Sender<u64>,
) {
    loop {
        tokio::select! {
            Some(message) = said.recv() => {
                // What cannot be sent shows in the next read.
                let _ = socket.send(message).await;
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let told = seen.lock().expect("nobody panicked with it").take_in(&text);
                    if let Some(ToScreen::Ping { .. }) = told {
                        let pong = serde_json::to_string(&FromScreen::Pong).expect("plain");
                        let _ = socket.send(Message::text(pong)).await;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
        tell.send_modify(|count| *count += 1);
    }
    seen.lock().expect("nobody panicked with it").over = true;
    tell.send_modify(|count| *count += 1);
}

/// A connection that sends what no page would.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) Socket);

impl Raw {
    pub(crate) async fn open(broker: &Broker, cookie: Option<&str>) -> Self {
        Self(broker.dial("/ws", cookie).await.expect("the broker listens"))
    }

    /// Said hello and was welcomed.
    pub(crate) async fn greeted(broker: &Broker, cookie: &str) -> Self {
        let mut raw = Self::open(broker, Some(cookie)).await;
        raw.text(&hello(VERSION)).await;
        let first = raw.next().await.expect("a welcome");
        assert!(matches!(first, ToScreen::Welcome { .. }), "{first:?}");
        raw
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.message(Message::text(text)).await;
    }

    /// Sends; a broker that hung up in the middle of it is no failure.
    pub(crate) async fn message(&mut self, message: Message) {
        let _ = timeout(Duration::from_secs(5), self.0.send(message)).await;
    }

    /// The next message, or nothing once the connection is over.
    pub(crate) async fn next(&mut self) -> Option<ToScreen> {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.expect("it says something or ends");
            match next? {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end: the code of the goodbye, if there was one.
    pub(crate) async fn bye(mut self) -> Option<Code> {
        let mut code = None;
        while let Some(message) = self.next().await {
            if let ToScreen::Bye { code: said } = message {
                code = Some(said);
            }
        }
        code
    }
}

pub(crate) fn hello(version: u32) -> String {
    serde_json::to_string(&FromScreen::Hello { version, have: Vec::new() }).expect("plain")
}
