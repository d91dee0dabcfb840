//! PulseAudio, and PipeWire in its place, in its own protocol.
//!
//! Streams have the program's own format and rate, which the server converts to and from whatever the device has; a microphone's
//! have the device's own channels, so that no mix is made before [`Downmix`].

mod address;

use std::ffi::{CStr, CString};
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use futures::executor::block_on;
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    self, ChannelMap, ChannelPosition, PlaybackStreamParams, ProtocolError, RecordStreamParams, SampleFormat,
    SampleSpec, SinkState, SourceInfo, SourceState,
};
use pulseaudio::{AsPlaybackSource, Client, ClientError, PlaybackStream, RecordStream};
use rtrb::{Consumer, Producer};
pub use sightline_media_proto::audio::SAMPLE_RATE as RATE;

use super::downmix::Downmix;
use super::{Device, Listing, SoundError};

/// 2 s: how long a server may take to answer the first words.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of 10 ms of one channel: what a server hands over, or asks for, at once.
const PERIOD: u32 = RATE / 100 * SAMPLE_LEN;

/// Bytes of a sample.
const SAMPLE_LEN: u32 = 4;

/// Periods that wait for a loudspeaker.
const PERIODS: u32 = 2;

const FORMAT: SampleFormat = if cfg!(target_endian = "little") {
    SampleFormat::Float32Le
} else {
    SampleFormat::Float32Be
};

/// A connection to a server.
pub struct Service(Client);

/// What is captured or played for as long as it is held.
pub enum Stream {
    Capture { _stream: RecordStream },
    Play { _stream: PlaybackStream },
}

impl Service {
    /// Connects to the first server that is there; `None` when there is none.
    ///
    /// # Errors
    /// There is one, and it does not answer, or does not want this program.
    pub fn connect() -> Result<Option<Self>, SoundError> {
        let user = rustix::process::getuid().as_raw();
        for path in address::sockets(|name| std::env::var_os(name), user) {
            let socket = match UnixStream::connect(&path) {
                Ok(socket) => socket,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                    continue;
                }
                Err(error) => return Err(SoundError(error.to_string())),
            };
            // A server on the same machine goes by the user, who is written into what is sent; libpulse writes it there by itself.
            let named = rustix::net::sockopt::set_socket_passcred(&socket, true);
            named.map_err(|error| SoundError(error.to_string()))?;
            let limited =
                (socket.set_read_timeout(Some(PATIENCE))).and(socket.set_write_timeout(Some(PATIENCE)));
            limited.map_err(|error| SoundError(error.to_string()))?;
            let cookie = address::cookie(|name| std::env::var_os(name));
            let client = Client::new_unix(c"Sightline", socket, Some(cookie))?;
            return Ok(Some(Self(client)));
        }
        Ok(None)
    }

    /// Whether a server may be there. A socket alone is no server, but one is asked then.
    pub fn is_there() -> bool {
        let user = rustix::process::getuid().as_raw();
        let mut paths = address::sockets(|name| std::env::var_os(name), user).into_iter();
        paths.any(|path| path.exists())
    }

    /// Whether the server answers, which it may take its time for.
    pub fn answers(&self) -> bool {
        block_on(self.0.server_info()).is_ok()
    }

    /// The devices that are there.
    ///
    /// # Errors
    /// The server does not say.
    pub fn list(&self) -> Result<Listing, SoundError> {
        let server = block_on(self.0.server_info())?;
        let sources = block_on(self.0.list_sources())?;
        let sinks = block_on(self.0.list_sinks())?;
        let inputs = sources.iter().map(|source| Device {
            id: text(&source.name),
            name: text(source.description.as_ref().unwrap_or(&source.name)),
            is_monitor: source.monitor_of_sink_index.is_some(),
            is_suspended: source.state == SourceState::Suspended,
        });
        let outputs = sinks.iter().map(|sink| Device {
            id: text(&sink.name),
            name: text(sink.description.as_ref().unwrap_or(&sink.name)),
            is_monitor: false,
            is_suspended: sink.state == SinkState::Suspended,
        });
        Ok(Listing {
            microphones: inputs.collect(),
            speakers: outputs.collect(),
            default_microphone: server.default_source_name.as_deref().map(text),
            default_speaker: server.default_sink_name.as_deref().map(text),
        })
    }

    /// Captures into a ring, at [`RATE`].
    ///
    /// # Errors
    /// There is no such device, or it cannot be used.
    pub fn capture(&self, id: Option<&str>, mut ring: Producer<f32>) -> Result<Stream, SoundError> {
        let name = id.map_or(Ok(protocol::DEFAULT_SOURCE.to_owned()), name)?;
        let source = block_on(self.0.source_info_by_name(name))?;
        let channels = source.channel_map.num_channels();
        let mut downmix = Downmix::new(&low_effects(&source), RATE);
        let params = RecordStreamParams {
            sample_spec: spec(channels),
            channel_map: source.channel_map,
            source_name: Some(source.name),
            buffer_attr: BufferAttr {
                fragment_size: PERIOD * u32::from(channels),
                ..BufferAttr::default()
            },
            flags: flags(),
            ..RecordStreamParams::default()
        };
        let take = move |data: &[u8]| {
            for sample in data.as_chunks().0 {
                if let Some(mixed) = downmix.push(f32::from_ne_bytes(*sample)) {
                    // What finds no room is dropped: nobody reads any more.
                    let _full = ring.push(mixed);
                }
            }
        };
        let stream = block_on(self.0.create_record_stream(params, take))?;
        Ok(Stream::Capture { _stream: stream })
    }

    /// Plays from a ring, at [`RATE`], and silence where there is nothing in it. The server gives one channel to all.
    ///
    /// # Errors
    /// There is no such device, or it cannot be used.
    pub fn play(&self, id: Option<&str>, mut ring: Consumer<f32>) -> Result<Stream, SoundError> {
        let params = PlaybackStreamParams {
            sample_spec: spec(1),
            channel_map: ChannelMap::mono(),
            sink_name: Some(id.map_or(Ok(protocol::DEFAULT_SINK.to_owned()), name)?),
            buffer_attr: BufferAttr {
                target_length: PERIODS * PERIOD,
                minimum_request_length: PERIOD,
                ..BufferAttr::default()
            },
            flags: flags(),
            ..PlaybackStreamParams::default()
        };
        let give = move |data: &mut [u8]| {
            for sample in data.as_chunks_mut().0 {
                *sample = ring.pop().unwrap_or(0.0).to_ne_bytes();
            }
            data.len()
        };
        let stream = block_on(self.0.create_playback_stream(params, give.as_playback_source()))?;
        Ok(Stream::Play { _stream: stream })
    }
}

/// The server is to keep to the buffers that are asked for.
fn flags() -> StreamFlags {
    StreamFlags {
        adjust_latency: true,
        ..StreamFlags::default()
    }
}

fn spec(channels: u8) -> SampleSpec {
    SampleSpec {
        format: FORMAT,
        channels,
        sample_rate: RATE,
    }
}

/// Which channels carry effects below a voice.
fn low_effects(source: &SourceInfo) -> Vec<bool> {
    let channels = source.channel_map.into_iter();
    channels
        .map(|position| position == ChannelPosition::Lfe)
        .collect()
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

fn name(id: &str) -> Result<CString, SoundError> {
    CString::new(id).map_err(|_| SoundError("its name is none".into()))
}

impl From<ClientError> for SoundError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::ServerError(error) | ClientError::Protocol(ProtocolError::ServerError(error)) => {
                Self(error.to_string())
            }
            error => Self(error.to_string()),
        }
    }
}
