//! A flood of sign-ins. Alone in its process: the bound on hashing is the whole process's.

mod access_support;

use access_support::{House, PASSWORD};
use futures_util::future::join_all;
use minato_protocol::{Code, Role};
use minato_signaling::log::MemoryLog;
use std::sync::Arc;

#[tokio::test]
async fn a_flood_of_sign_ins_is_sent_away_and_afterwards_the_door_is_open() {
    let house = House::over(Arc::new(MemoryLog::default()), None).await;
    let made = house.account("abe", Role::Doctor).await;
    let flood = (0..200).map(|n| {
        let mut page = house.browser().at(&format!("198.51.{}.{}", n / 100, n % 100));
        async move { page.sign_in(&format!("name{n}"), "wrong", "000000").await.refusal().1 }
    });
    let codes = join_all(flood).await;
    let busy = codes.iter().filter(|code| **code == Code::Busy).count();
    let wrong = codes.iter().filter(|code| **code == Code::SignInWrong).count();
    assert_eq!(busy + wrong, 200);
    assert!((1..=64).contains(&wrong), "{wrong}");
    let answer = house.browser().sign_in("abe", PASSWORD, &house.totp(&made.totp)).await;
    assert_eq!(answer.status, 200);
}
