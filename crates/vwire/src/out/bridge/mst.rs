//! Prints the states of a port in its spanning trees as `bridge mst` does.

use vwire_netlink::wire::bridge::SpanningTrees;

use super::{Devices, close_device, indent, open_device, print_state};
use crate::out::Printer;

/// Prints the trees of a port; an entry that lacks its tree or its state is passed over.
pub fn print(p: &mut Printer, index: u32, trees: &SpanningTrees, devices: &Devices) {
    for (at, tree) in trees.entry.iter().enumerate() {
        if at == 0 {
            open_device(p, &devices.name(index), "mst");
        } else {
            indent(p, 0);
        }
        if let (Some(number), Some(state)) = (tree.msti, tree.state) {
            p.open_object(None);
            p.number("msti", "", number, "");
            p.line_break();
            indent(p, 2);
            print_state(p, state);
            p.line_break();
            p.close_object();
        }
    }
    if !trees.entry.is_empty() {
        close_device(p);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::wire::bridge::SpanningTree;

    #[test]
    fn each_tree_has_its_state() {
        let tree = |msti, state| SpanningTree { msti: Some(msti), state: Some(state), ..SpanningTree::default() };
        let trees = SpanningTrees { entry: vec![tree(0, 3), tree(10, 4)], ..SpanningTrees::default() };
        let printed = |json| {
            let mut p = Printer::new(Layout { json, ..Layout::default() });
            print(&mut p, 5, &trees, &Devices::default());
            String::from_utf8(p.take()).unwrap()
        };
        let text = "if5               0\n                    state forwarding \n                  10\n                    \
                    state blocking \n";
        assert_eq!(printed(false), text);
        let json = r#"{"ifname":"if5","mst":[{"msti":0,"state":"forwarding"},{"msti":10,"state":"blocking"}]}"#;
        assert_eq!(printed(true), json);
    }
}
