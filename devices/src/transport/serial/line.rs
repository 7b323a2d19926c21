//! One open port: hands on what it says, wakes the device, and tries again when it was unplugged.

use super::{SerialError, SerialPort};
use crate::clock::Clock;
use crate::driver::{Attribute, Line};
use crate::transport::{Found, Heard};
use minato_protocol::reading::{DeviceId, TransportKind};
use minato_protocol::uplink::Trouble;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_serial::{
    DataBits, ErrorKind, FlowControl, Parity, SerialPortBuilder, SerialStream, StopBits,
};

/// A device that has said nothing for so long is switched off, or its cable is out at the far end.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// A device that needs it is woken again after so much silence.
const WAKE_AFTER: Duration = Duration::from_secs(2);
/// See [`Line::keep_awake`].
const KEEP_AWAKE_EVERY: Duration = Duration::from_millis(1_500);
/// How long nothing is read, so that a few packets come at once and not each by itself.
const GATHER: Duration = Duration::from_millis(20);
/// What is read at once; 20 ms at 115200 baud are 230 bytes.
const READ_BYTES_MAX: usize = 512;
/// Waits between attempts to open: twice as long each time.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(15);
/// A line that takes no byte for so long is as good as unplugged.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// Nobody listens any more.
struct Unheard;

/// Runs until nobody listens. While the bench is slow nothing is read; what the kernel cannot hold
/// then is lost, and shows as a gap.
pub async fn run(
    port: SerialPort,
    clock: Clock,
    to: mpsc::Sender<Heard>,
) -> Result<(), SerialError> {
    let (device, line) = (port.device()?, port.line()?);
    let mut cable = Cable { port, device, line, clock, to, obstructed: None, retry: RETRY_MIN };
    while cable.attempt().await.is_ok() {}
    Ok(())
}

/// One port and what is known of it.
struct Cable {
    port: SerialPort,
    device: DeviceId,
    line: Line,
    clock: Clock,
    to: mpsc::Sender<Heard>,
    /// What was last said to stand in the way.
    obstructed: Option<Trouble>,
    retry: Duration,
}

impl Cable {
    /// Opens the port and stays with it until it is unplugged, or waits a while.
    async fn attempt(&mut self) -> Result<(), Unheard> {
        match open(&self.port.path, self.line) {
            Ok(mut stream) => {
                tracing::info!(port = self.port.path, "the serial port is open");
                self.retry = RETRY_MIN;
                let ended = self.stay(&mut stream).await?;
                tracing::info!(port = self.port.path, %ended, "the serial port is gone");
                self.gone().await?;
            }
            Err(error) => {
                let by = trouble(&error);
                if self.obstructed != Some(by) {
                    tracing::warn!(port = self.port.path, %error, "the serial port does not open");
                }
                self.obstruct(Some(by)).await?;
            }
        }
        let wait = self.retry;
        self.retry = (wait * 2).min(RETRY_MAX);
        tokio::select! {
            () = sleep(wait) => Ok(()),
            () = self.to.closed() => Err(Unheard),
        }
    }

    /// Listens until the port fails, which is what it does when it is unplugged.
    async fn stay(&mut self, stream: &mut SerialStream) -> Result<io::Error, Unheard> {
        if let Err(error) = write(stream, self.line.wake).await {
            return Ok(error);
        }
        self.appear().await?;
        let mut here = true;
        let mut heard_at = Instant::now();
        let mut woken_at = heard_at;
        let mut keep_awake = interval(KEEP_AWAKE_EVERY);
        keep_awake.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bytes = [0; READ_BYTES_MAX];
        loop {
            tokio::select! {
                read = stream.read(&mut bytes) => {
                    let read = match read {
                        Ok(0) => return Ok(io::ErrorKind::UnexpectedEof.into()),
                        Ok(read) => read,
                        Err(error) => return Ok(error),
                    };
                    heard_at = Instant::now();
                    if !std::mem::replace(&mut here, true) {
                        self.appear().await?;
                    }
                    self.hear(&bytes[..read]).await?;
                    sleep(GATHER).await;
                }
                _ = keep_awake.tick(), if !self.line.keep_awake.is_empty() => {
                    if let Err(error) = write(stream, self.line.keep_awake).await {
                        return Ok(error);
                    }
                }
                () = sleep_until(heard_at.max(woken_at) + WAKE_AFTER),
                    if !self.line.wake.is_empty() =>
                {
                    woken_at = Instant::now();
                    if let Err(error) = write(stream, self.line.wake).await {
                        return Ok(error);
                    }
                }
                () = sleep_until(heard_at + SILENT_AFTER), if here => {
                    here = false;
                    self.gone().await?;
                }
                () = self.to.closed() => return Err(Unheard),
            }
        }
    }

    async fn appear(&mut self) -> Result<(), Unheard> {
        let found = Found {
            device: self.device.clone(),
            offer: self.port.offer(),
            transport: TransportKind::Serial,
            battery_percent: None,
            signal_dbm: None,
            startable: false,
        };
        self.say(Heard::Appeared(found)).await?;
        self.obstruct(None).await
    }

    async fn gone(&mut self) -> Result<(), Unheard> {
        self.say(Heard::Gone { device: self.device.clone() }).await?;
        self.obstruct(Some(Trouble::OutOfRange)).await
    }

    /// Says what stands in the way, once.
    async fn obstruct(&mut self, by: Option<Trouble>) -> Result<(), Unheard> {
        if std::mem::replace(&mut self.obstructed, by) == by {
            return Ok(());
        }
        self.say(Heard::Obstructed { device: self.device.clone(), by }).await
    }

    async fn hear(&self, bytes: &[u8]) -> Result<(), Unheard> {
        self.say(Heard::Bytes {
            device: self.device.clone(),
            from: Attribute::SERIAL,
            bytes: bytes.to_vec(),
            at: self.clock.now(),
        })
        .await
    }

    async fn say(&self, heard: Heard) -> Result<(), Unheard> {
        self.to.send(heard).await.map_err(|_| Unheard)
    }
}

fn open(path: &str, line: Line) -> tokio_serial::Result<SerialStream> {
    SerialStream::open(&builder(path, line))
}

fn builder(path: &str, line: Line) -> SerialPortBuilder {
    let parity = if line.odd_parity { Parity::Odd } else { Parity::None };
    tokio_serial::new(path, line.baud)
        .data_bits(DataBits::Eight)
        .parity(parity)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
}

/// A port that is not there is a cable that is not plugged in; one that is taken is another
/// program's. Whether this program may open it at all is for the log: no nurse can change it.
fn trouble(error: &tokio_serial::Error) -> Trouble {
    match error.kind() {
        ErrorKind::NoDevice => Trouble::HeldElsewhere,
        ErrorKind::InvalidInput | ErrorKind::Unknown | ErrorKind::Io(_) => Trouble::OutOfRange,
    }
}

/// A device that is not there takes no bytes: that must not hold up the reading for ever.
async fn write(stream: &mut SerialStream, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    match timeout(WRITE_PATIENCE, stream.write_all(bytes)).await {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_parity_and_a_rate_are_what_the_line_says() {
        let line = Line { baud: 19_200, odd_parity: true, wake: &[], keep_awake: &[] };
        let text = format!("{:?}", builder("/dev/ttyUSB0", line));
        for part in ["baud_rate: 19200", "parity: Odd", "data_bits: Eight", "stop_bits: One"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
