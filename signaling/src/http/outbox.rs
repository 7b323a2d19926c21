//! The way to one screen, bounded in messages and in bytes.

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use minato_protocol::Code;
use minato_protocol::wire::ToScreen;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Messages that wait for one screen. When it is full the screen is dropped and resumes.
const MESSAGES_MAX: usize = 256;
/// Bytes that wait for one screen. When it is full the screen is dropped and resumes; a single
/// message is bounded by the feed.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// A message that does not leave within so long: the reader is too slow.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// The near end.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    messages: mpsc::Sender<Utf8Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The far end, which sends.
#[derive(Debug)]
pub(super) struct Writer {
    messages: mpsc::Receiver<Utf8Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
}

pub(super) fn outbox() -> (Outbox, Writer) {
    let (near, far) = mpsc::channel(MESSAGES_MAX);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox { messages: near, waiting_bytes: Arc::clone(&waiting_bytes) };
    (outbox, Writer { messages: far, waiting_bytes })
}

impl Outbox {
    /// Puts a message in line, or says that the reader is too slow.
    pub(super) fn send(&self, message: &ToScreen) -> Result<(), Code> {
        let text = serde_json::to_string(message).unwrap_or_default();
        let bytes = text.len();
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = waiting <= BYTES_MAX && self.messages.try_send(text.into()).is_ok();
        if fits {
            return Ok(());
        }
        metrics::counter!("minato_screens_dropped_total").increment(1);
        Err(Code::SlowReader)
    }

    pub(super) fn send_all(&self, messages: &[ToScreen]) -> Result<(), Code> {
        messages.iter().try_for_each(|message| self.send(message))
    }
}

impl Writer {
    /// Sends until nobody writes any more, or the reader is too slow.
    pub(super) async fn write(mut self, mut sink: SplitSink<WebSocket, Message>) {
        while let Some(text) = self.messages.recv().await {
            let bytes = text.len();
            let sent = timeout(SEND_WITHIN, sink.send(Message::Text(text))).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        drop(timeout(SEND_WITHIN, sink.close()).await);
    }
}
