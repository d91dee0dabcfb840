//! Routes: which path media takes to whom, what it did, and what the user is asked about it.

use std::sync::Arc;

use libp2p_identity::PeerId;
use sightline_media_proto::VideoTrack;
use sightline_mesh_proto::Name;
use sightline_mesh_proto::route::{Question as Asked, State as RouteState, Transition};
use sightline_ui::model::{Person, Question};

use super::{Moment, ParticipantEffect, State, Topic, view_model};

/// Steps of routes that are shown; the record has more.
const MAX_STEPS: usize = 1024;

impl State {
    /// A route took a step.
    pub(super) fn handle_step(&mut self, step: &Transition, at: Moment) {
        let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) else {
            return;
        };
        let is_active = step.route.state == RouteState::Active;
        let route = view_model::route(step, &self.registry, &call.interfaces);
        if let Some(peer) = step.route.peer {
            // What was tried beside the route that media takes is in the history only.
            let before = call.routes.get(&peer);
            let is_beside = before.is_some_and(|before| {
                let flows = before.state == sightline_ui::model::RouteState::Active;
                let is_it = before.path.local == route.path.local && before.path.remote == route.path.remote;
                flows && !is_it && !is_active
            });
            if !is_beside {
                if step.route.state == RouteState::Closed {
                    call.routes.remove(&peer);
                } else {
                    call.routes.insert(peer, route.clone());
                }
                let id = self.registry.person(&peer);
                for person in shown.people.iter_mut().filter(|person| person.id == id) {
                    person.route = Some(route.clone());
                    person.is_being_asked = false;
                }
            }
        }
        let steps = Arc::make_mut(&mut shown.history.steps);
        steps.push(view_model::step(
            step,
            &self.registry,
            route,
            (at.started, self.zone),
        ));
        if steps.len() > MAX_STEPS {
            steps.remove(0);
            shown.history.earlier += 1;
        }
        if is_active {
            self.handle_active(step.route.peer);
        }
    }

    /// Media flows to a member, perhaps by another route than before.
    fn handle_active(&mut self, peer: Option<PeerId>) {
        if let Some(peer) = peer {
            // What was asked for on the route before is asked for again.
            self.forget_asked(&peer);
            self.clear(Topic::Connection, Some(&peer));
        }
        let is_active = |person: &Person| {
            let state = person.route.as_ref().map(|route| route.state);
            state == Some(sightline_ui::model::RouteState::Active)
        };
        if self
            .model
            .call
            .iter()
            .flat_map(|call| &call.people)
            .all(is_active)
        {
            self.clear(Topic::Network, None);
        }
        // Who is new can show nothing before a key frame.
        for track in VideoTrack::ALL {
            self.order_participant(ParticipantEffect::KeyFrame(track));
        }
    }

    pub(super) fn ask(&mut self, question: &Asked, name: Option<&Name>) {
        let (Some(call), Some(shown)) = (&self.call, &mut self.model.call) else {
            return;
        };
        let path = |path| view_model::path(path, &self.registry, &call.interfaces);
        shown.questions.push(Question {
            id: question.id.0,
            name: name.map(|name| name.as_str().to_owned()),
            person: question.new.peer.map(|peer| self.registry.person(&peer)),
            old: question.old.as_ref().map(path),
            new: path(&question.new.path),
            reason: question.reason.word(),
            tells_address: question.tells,
            wider_rule: view_model::wider(shown.rule).filter(|_| !question.tells),
        });
    }
}
