use super::filled;

#[tokio::test]
async fn the_audit_is_in_the_order_of_time_and_says_what_was_changed() {
    let (services, _folder) = filled().await;
    let query = hallpass_store::AuditQuery::all(None, 100);
    let lines = services.store.list_audit(&query).await.unwrap().lines;
    assert!(lines.len() > 20);
    for pair in lines.windows(2) {
        assert!(pair[0].at >= pair[1].at && pair[0].seq > pair[1].seq);
    }
    let gate = lines.iter().find(|line| line.action == "member.changed");
    let gate = gate.unwrap();
    assert!(
        gate.before
            .as_ref()
            .unwrap()
            .contains(r#""mayHaveTokens":true"#)
    );
    assert!(
        gate.after
            .as_ref()
            .unwrap()
            .contains(r#""mayHaveTokens":false"#)
    );
    for action in ["member.suspended", "token.suspended"] {
        let line = lines.iter().find(|line| line.action == action).unwrap();
        assert!(line.after.is_some(), "{action}");
    }
}
