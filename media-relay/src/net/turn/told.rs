//! Where pages ask for TURN: the listeners as `turn:` and `turns:` addresses (RFC 7065).

use super::{TurnAddresses, TurnServer, TurnSettings};
use minato_protocol::media::{TURN_PROOF_USER, TurnPlace};
use std::net::SocketAddr;

impl TurnServer {
    /// What signaling is told, so that it sends pages here.
    pub fn place(&self, settings: &TurnSettings) -> TurnPlace {
        let (_, proof) = settings.secret.credential(TURN_PROOF_USER, 0);
        TurnPlace { urls: urls(settings, self.addresses()), proof }
    }
}

fn urls(settings: &TurnSettings, bound: &TurnAddresses) -> Vec<String> {
    let by = |scheme: &'static str, transport: &'static str, listeners: &[SocketAddr]| {
        let hosts = listeners.iter().flat_map(|listener| hosts(settings, *listener));
        let mut urls: Vec<String> =
            hosts.map(|host| format!("{scheme}:{host}?transport={transport}")).collect();
        urls.dedup();
        urls
    };
    let udp = by("turn", "udp", &bound.udp);
    let tcp = by("turn", "tcp", &bound.tcp);
    [udp, tcp, by("turns", "tcp", &bound.tls)].concat()
}

/// `host:port` of a listener; of one on all addresses, those by which this machine is reached.
fn hosts(settings: &TurnSettings, listener: SocketAddr) -> Vec<String> {
    if let Some(host) = &settings.host {
        return vec![format!("{host}:{}", listener.port())];
    }
    let of_family = |ip: &std::net::IpAddr| ip.is_ipv4() == listener.is_ipv4();
    let ips = if !settings.advertised.is_empty() || listener.ip().is_unspecified() {
        settings.told()
    } else {
        vec![listener.ip()]
    };
    let ips = ips.into_iter().filter(of_family);
    ips.map(|ip| SocketAddr::new(ip, listener.port()).to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::turn::TurnSecret;

    fn settings() -> TurnSettings {
        TurnSettings::new(TurnSecret::new(b"a secret of the tests").expect("long enough"))
    }

    fn bound(ip: &str) -> TurnAddresses {
        let at = |port: u16| vec![SocketAddr::new(ip.parse().expect("an address"), port)];
        TurnAddresses { udp: at(3478), tcp: at(3478), tls: at(5349) }
    }

    #[test]
    fn each_transport_has_its_own_address() {
        let told = urls(&settings(), &bound("2001:db8::7"));
        let expected = [
            "turn:[2001:db8::7]:3478?transport=udp",
            "turn:[2001:db8::7]:3478?transport=tcp",
            "turns:[2001:db8::7]:5349?transport=tcp",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_listener_on_all_addresses_is_told_by_those_that_the_operator_names() {
        let mut settings = settings();
        settings.advertised = vec!["198.51.100.7".parse().expect("an address")];
        let told = urls(&settings, &bound("0.0.0.0"));
        assert_eq!(told.first().map(String::as_str), Some("turn:198.51.100.7:3478?transport=udp"));
        settings.host = Some("relay.example".to_owned());
        let told = urls(&settings, &bound("0.0.0.0"));
        assert_eq!(told.last().map(String::as_str), Some("turns:relay.example:5349?transport=tcp"));
    }
}
