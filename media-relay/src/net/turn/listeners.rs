//! Opens the ports on which the TURN server is asked.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

/// Kernel buffers of a UDP listener, through which all its clients go.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 512;

/// A UDP listener. `others`: what is opened beside it.
pub(super) fn udp(address: SocketAddr, others: &[SocketAddr]) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    only_v6(&socket, address, others)?;
    // The kernel may grant less (net.core.rmem_max): then it is as much as there is.
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A TCP listener, also under TLS.
pub(super) fn tcp(address: SocketAddr, others: &[SocketAddr]) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
    only_v6(&socket, address, others)?;
    // A restart does not wait for the connections of before.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// `[::]` takes IPv4 along, unless IPv4 has its own listener on that port.
fn only_v6(socket: &Socket, address: SocketAddr, others: &[SocketAddr]) -> io::Result<()> {
    if address.is_ipv4() {
        return Ok(());
    }
    let both = others.iter().any(|other| other.is_ipv4() && other.port() == address.port());
    socket.set_only_v6(both)
}
