use minato_model::*;
use stateright::{Checker, Model};
#[test]
fn size() {
    let v: Vec<u8> = std::env::var("V").unwrap().split(',').map(|x| x.parse().unwrap()).collect();
    let script = Script { next: v[0] > 0, pick: v[1] > 0, end: v[2] > 0, back: false, hand_over: false };
    let screens = (0..v[6]).map(|n| minato_protocol::StaffId(u64::from(n > 1 || (n==1 && v[6]==2 && v[7]==0)))).collect();
    let c = Plan { rounds: v[4], crashes: v[5], screens, ..Plan::new(v[3], script) }.checker().threads(2).timeout(std::time::Duration::from_secs(20)).spawn_dfs().join();
    println!("{v:?} {} states depth {} {:?}", c.unique_state_count(), c.max_depth(), LAWS.iter().filter(|l| c.discovery(l).is_some()).collect::<Vec<_>>());
}
