//! Each recorded exchange, through a closure as transport, comes to its row's
//! outcome.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use bookmore_sdk::{Client, Error, HttpRequest};
use common::{COUNT, exchanges, rows};

#[test]
fn all_254_recorded_exchanges_have_their_outcome() {
    let (exchanges, rows) = (exchanges(), rows());
    assert_eq!((exchanges.len(), rows.len()), (COUNT, COUNT));
    for (exchange, row) in exchanges.iter().zip(&rows) {
        assert_eq!(exchange.id, row.id);
        let transport = |_: HttpRequest| async { Ok::<_, Error>(exchange.response.clone()) };
        let client = Client::builder().build(transport).unwrap();
        row.check(&pollster::block_on(client.get_ai_chat_usage(&row.request)));
    }
}
