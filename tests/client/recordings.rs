//! Each recorded exchange, through a virtual transport, has the outcome of its
//! row.

use super::common::{COUNT, exchanges, rows};
use bookmore_sdk::{
    Client,
    testing::{Reply, VirtualTransport},
};

#[test]
fn all_254_recorded_exchanges_have_their_outcome() {
    let (exchanges, rows) = (exchanges(), rows());
    assert_eq!((exchanges.len(), rows.len()), (COUNT, COUNT));
    for (exchange, row) in exchanges.iter().zip(&rows) {
        assert_eq!(exchange.id, row.id);
        let response = exchange.response.clone();
        let transport =
            VirtualTransport::new().respond_with(move |_| Reply::from(response.clone()));
        let client = Client::builder().build(transport.clone()).unwrap();
        row.check(&transport.run(client.get_ai_chat_usage(&row.request)));
    }
}
