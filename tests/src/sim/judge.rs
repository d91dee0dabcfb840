//! Whether what a program does is what its user decided: kept apart from what the program makes of it.

use std::net::IpAddr;

use sightline_mesh_proto::route::{Route, Rule};
use sightline_mesh_proto::{Command, ConnId};

use super::{Index, World};

impl World {
    pub(super) fn note_wish(&mut self, index: Index, command: &Command) {
        let (id, is_yes) = match command {
            Command::SetRule(rule) => {
                self.nodes[index].wishes.rule = *rule;
                return;
            }
            Command::Approve(id) => (*id, true),
            Command::Deny(id) => (*id, false),
            _ => return,
        };
        let question = self
            .questions(index)
            .into_iter()
            .find(|question| question.id == id);
        let Some((peer, way)) = question.and_then(|question| Some((question.new.peer?, question.new.path)))
        else {
            return;
        };
        let wishes = &mut self.nodes[index].wishes;
        let answered = if is_yes {
            &mut wishes.approved
        } else {
            &mut wishes.denied
        };
        answered.insert((peer, way.local.ip(), way.remote.ip()));
    }

    /// Whether the user's own decisions let this route become active, whatever the program thinks.
    pub(super) fn judge_activation(&mut self, index: Index, route: &Route) {
        let Some(peer) = route.peer else {
            panic!("p{index} activates a route to nobody")
        };
        let there = self
            .nodes
            .iter()
            .position(|node| node.call.as_ref().is_some_and(|call| call.me() == peer));
        let there = there.expect("a participant");
        let (local, remote) = (route.path.local.ip(), route.path.remote.ip());
        let has_ticked = |node: Index, address: IpAddr| {
            let approved = &self.nodes[node].wishes.approved;
            let is_shared = self.nodes[node].shared.contains(&address);
            is_shared || approved.iter().any(|(_, own, _)| *own == address)
        };
        let wishes = &self.nodes[index].wishes;
        let way = (peer, local, remote);
        let is_approved = wishes.approved.contains(&way);
        let allowed = match (wishes.rule, wishes.last.get(&peer)) {
            (Rule::None, _) => false,
            (Rule::All, _) => has_ticked(index, local),
            (Rule::Ask, _) => is_approved,
            (_, None) => is_approved || (has_ticked(index, local) && has_ticked(there, remote)),
            (Rule::Listed, Some(last)) => is_approved || *last == (local, remote),
            (Rule::Same, Some(_)) => is_approved || wishes.flowed.contains(&way),
        };
        assert!(
            allowed,
            "p{index}: {:?} does not allow {local} to {remote}",
            wishes.rule
        );
        let wishes = &mut self.nodes[index].wishes;
        wishes.flowed.insert(way);
        wishes.last.insert(peer, (local, remote));
    }

    /// Whether the user's own decisions allow media on a connection now.
    pub(super) fn judge_media(&self, index: Index, conn: ConnId) {
        let Some(connection) = self.ends.get(&(index, conn)) else {
            return;
        };
        let link = &self.connections[*connection];
        let is_dialler = (link.dialler.node, link.dialler.conn) == (index, conn);
        let (here, there) = if is_dialler {
            (link.dialler, link.listener)
        } else {
            (link.listener, link.dialler)
        };
        let way = (self.peer(there.node), here.local.ip(), there.outside.ip());
        let wishes = &self.nodes[index].wishes;
        assert_ne!(wishes.rule, Rule::None, "p{index} sends media by no rule");
        assert!(
            !wishes.denied.contains(&way),
            "p{index} sends media by a way that was denied"
        );
        let may_be_unasked = wishes.rule != Rule::Ask || wishes.approved.contains(&way);
        assert!(
            may_be_unasked,
            "p{index} sends media by a way that was not asked about"
        );
    }
}
