//! `ip addrlabel`, `ip netconf` and `ip token` under vwire's own name; how they compare with `ip` is in the tables.

use crate::json::Json;
use crate::lab::lab;

#[test]
fn a_label_is_refused_with_what_helps() {
    lab(|net| {
        let said = net.vwire(&["addrlabel", "add", "prefix", "::/0", "label", "1"]).fails(2);
        assert!(said.contains("hint: the prefix has a label: `vwire addrlabel` shows it"), "{said}");
        let said = net.vwire(&["addrlabel", "add", "prefix", "10.0.0.0/8", "label", "1"]).fails(2);
        assert!(said.contains("all of IPv4 is `::ffff:0:0/96`"), "{said}");
        let said = net.vwire(&["addrlabel", "add", "prefx", "::/0", "label", "1"]).fails(255);
        assert!(said.contains("`prefx` is no word of a label"), "{said}");
    });
}

#[test]
fn what_holds_for_all_devices_is_asked_for_by_name() {
    lab(|net| {
        let said = net.vwire(&["-j", "-4", "netconf", "show", "dev", "all"]).ok();
        let document = Json::parse(said.as_bytes()).unwrap();
        assert_eq!(document.elements()[0].get("interface").text(), "all");
        assert_eq!(document.elements().len(), 1);
        let said = net.vwire(&["netconf", "show", "dev", "default"]).ok();
        assert!(said.starts_with("inet default forwarding off ") && said.contains("\ninet6 default "), "{said}");
    });
}

#[test]
fn a_token_is_refused_with_what_helps() {
    lab(|net| {
        let said = net.vwire(&["token", "set", "::5", "dev", "lo"]).fails(2);
        assert!(
            said.contains("error: cannot set a token of `lo`: ") && said.contains("hint: a device takes"),
            "{said}"
        );
        let said = net.vwire(&["token", "set", "::5"]).fails(1);
        assert!(said.contains("hint: as in `vwire token set ::53 dev v0`"), "{said}");
    });
}
