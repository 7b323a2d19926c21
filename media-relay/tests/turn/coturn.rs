//! Runs coturn's own client programs, which know nothing of us, and reads what they report.

use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A run that has not ended by then hangs.
const RUN_MAX: Duration = Duration::from_secs(60);

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Run {
    pub status: Option<ExitStatus>,
    pub output: String,
}

impl Run {
    /// Whether it ended well and every message came back.
    pub fn lost_nothing(&self) -> bool {
        self.ended_well() && self.lost() == Some(0) && self.received().is_some_and(|n| n > 0)
    }

    pub fn ended_well(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    fn lost(&self) -> Option<u64> {
        self.last_number("Total lost packets ")
    }

    /// Messages that came back; `None`: it did not get so far as to count them.
    pub fn received(&self) -> Option<u64> {
        self.last_number("tot_recv_msgs=")
    }

    fn last_number(&self, name: &str) -> Option<u64> {
        let (_, behind) = self.output.rsplit_once(name)?;
        let digits = behind.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    }
}

/// Runs a program to its end, or ends it.
pub fn run(program: &str, arguments: &[&str]) -> Run {
    let (mut output, pipe) = std::io::pipe().unwrap();
    let both = pipe.try_clone().unwrap();
    let mut child = spawn(program, arguments, pipe.into(), both.into());
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
    });
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if since.elapsed() > RUN_MAX {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    Run { status, output: reader.join().unwrap().unwrap() }
}

fn spawn(program: &str, arguments: &[&str], out: Stdio, err: Stdio) -> Child {
    let spawned =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(out).stderr(err).spawn();
    spawned.unwrap_or_else(|error| {
        panic!("{program} cannot be run ({error}): install Debian's package coturn (`make needs`)")
    })
}

/// `turnutils_peer`: answers every datagram with itself.
#[derive(Debug)]
pub struct Echo {
    child: Child,
    pub port: u16,
}

impl Echo {
    pub fn start(ip: &str) -> Self {
        let free = std::net::UdpSocket::bind((ip, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let port_text = port.to_string();
        let arguments = ["-p", &port_text, "-L", ip];
        let child = spawn("turnutils_peer", &arguments, Stdio::null(), Stdio::null());
        let echo = Self { child, port };
        echo.wait(ip);
        echo
    }

    /// Until it answers.
    fn wait(&self, ip: &str) {
        let socket = std::net::UdpSocket::bind((ip, 0)).unwrap();
        socket.connect((ip, self.port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(10) {
            // Refused until it is there.
            let asked = socket.send(b"are you there");
            if asked.is_ok() && socket.recv(&mut [0; 64]).is_ok() {
                return;
            }
        }
        panic!("turnutils_peer does not answer");
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It has no other way to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments of `turnutils_uclient` that every run has.
pub fn uclient(server: SocketAddr, user: &str, password: &str, more: &[&str]) -> Run {
    let (port, ip) = (server.port().to_string(), server.ip().to_string());
    let mut arguments = vec!["-n", "20", "-u", user, "-w", password, "-p", &port];
    arguments.extend(more);
    arguments.push(&ip);
    run("turnutils_uclient", &arguments)
}
