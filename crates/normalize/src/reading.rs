//! A record, read once: where each of its fields stands.

use serde_json::value::RawValue;

use crate::event::EventError;
use crate::outline::{Kind, Outline, Part};

/// The fields of a record itself, as CloudTrail documents them (record contents, event version 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Top {
    /// `additionalEventData`
    AdditionalEventData,
    /// `addendum`
    Addendum,
    /// `apiVersion`
    ApiVersion,
    /// `awsRegion`
    AwsRegion,
    /// `detail`, which only an event around a record has
    Detail,
    /// `detail-type`, which only an event around a record has
    DetailType,
    /// `edgeDeviceDetails`
    EdgeDeviceDetails,
    /// `errorCode`
    ErrorCode,
    /// `errorMessage`
    ErrorMessage,
    /// `eventCategory`
    EventCategory,
    /// `eventContext`
    EventContext,
    /// `eventID`
    EventId,
    /// `eventName`
    EventName,
    /// `eventSource`
    EventSource,
    /// `eventTime`
    EventTime,
    /// `eventType`
    EventType,
    /// `eventVersion`
    EventVersion,
    /// `insightDetails`
    InsightDetails,
    /// `managementEvent`
    ManagementEvent,
    /// `readOnly`
    ReadOnly,
    /// `recipientAccountId`
    RecipientAccountId,
    /// `requestID`
    RequestId,
    /// `requestParameters`
    RequestParameters,
    /// `resources`
    Resources,
    /// `responseElements`
    ResponseElements,
    /// `serviceEventDetails`
    ServiceEventDetails,
    /// `sessionCredentialFromConsole`
    SessionCredentialFromConsole,
    /// `sharedEventID`
    SharedEventId,
    /// `sourceIPAddress`
    SourceIpAddress,
    /// `tlsDetails`
    TlsDetails,
    /// `userAgent`
    UserAgent,
    /// `userIdentity`
    UserIdentity,
    /// `vpcEndpointAccountId`
    VpcEndpointAccountId,
    /// `vpcEndpointId`
    VpcEndpointId,
}

const TOPS: usize = Top::VpcEndpointId as usize + 1;
const NONE: u32 = u32::MAX;

impl Top {
    /// The field of a name.
    #[inline]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name.as_bytes() {
            b"additionalEventData" => Self::AdditionalEventData,
            b"addendum" => Self::Addendum,
            b"apiVersion" => Self::ApiVersion,
            b"awsRegion" => Self::AwsRegion,
            b"detail" => Self::Detail,
            b"detail-type" => Self::DetailType,
            b"edgeDeviceDetails" => Self::EdgeDeviceDetails,
            b"errorCode" => Self::ErrorCode,
            b"errorMessage" => Self::ErrorMessage,
            b"eventCategory" => Self::EventCategory,
            b"eventContext" => Self::EventContext,
            b"eventID" => Self::EventId,
            b"eventName" => Self::EventName,
            b"eventSource" => Self::EventSource,
            b"eventTime" => Self::EventTime,
            b"eventType" => Self::EventType,
            b"eventVersion" => Self::EventVersion,
            b"insightDetails" => Self::InsightDetails,
            b"managementEvent" => Self::ManagementEvent,
            b"readOnly" => Self::ReadOnly,
            b"recipientAccountId" => Self::RecipientAccountId,
            b"requestID" => Self::RequestId,
            b"requestParameters" => Self::RequestParameters,
            b"resources" => Self::Resources,
            b"responseElements" => Self::ResponseElements,
            b"serviceEventDetails" => Self::ServiceEventDetails,
            b"sessionCredentialFromConsole" => Self::SessionCredentialFromConsole,
            b"sharedEventID" => Self::SharedEventId,
            b"sourceIPAddress" => Self::SourceIpAddress,
            b"tlsDetails" => Self::TlsDetails,
            b"userAgent" => Self::UserAgent,
            b"userIdentity" => Self::UserIdentity,
            b"vpcEndpointAccountId" => Self::VpcEndpointAccountId,
            b"vpcEndpointId" => Self::VpcEndpointId,
            _ => return None,
        })
    }
}

/// A record, read once: what it is in full, and where its most wanted fields stand.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'t> {
    body: Part<'t>,
    places: Places,
}

/// Where the fields of a record stand in its outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    body: u32,
    tops: [u32; TOPS],
    is_plain: bool,
    has_dots: bool,
}

impl Places {
    /// The places of the record that a part of a text is.
    pub(crate) fn of(body: Part<'_>) -> Self {
        let mut out = Self {
            body: body.place(),
            tops: [NONE; TOPS],
            is_plain: body.kind() == Kind::Object,
            has_dots: false,
        };
        // The elements of an array have no keys.
        for member in body.inner() {
            if member.is_key_escaped() {
                out.is_plain = false;
                out.add(&member.key().unwrap_or_default(), member.place());
            } else {
                out.add(member.raw_key(), member.place());
            }
        }
        out
    }

    #[inline]
    fn add(&mut self, key: &str, at: u32) {
        match Top::of(key).and_then(|top| self.tops.get_mut(top as usize)) {
            Some(place) => {
                self.is_plain &= *place == NONE;
                *place = at;
            }
            None => self.has_dots |= key.contains('.'),
        }
    }

    /// Whether it is an object, no key has escapes, and none of the names of [`Top`] stands there twice.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }
}

impl<'t> Reading<'t> {
    /// Reads the body of a record.
    ///
    /// # Errors
    /// [`EventError::Large`] for one that has more values than an outline.
    pub fn new(body: &'t RawValue, outline: &'t mut Outline) -> Result<Self, EventError> {
        let body = outline.read(body.get()).ok_or(EventError::Large)?;
        let places = Places::of(body);
        Ok(Self { body, places })
    }

    /// The record at these places of the outline that a part is of.
    pub(crate) fn at(part: Part<'t>, places: &Places) -> Option<Self> {
        Some(Self {
            body: part.of_place(places.body)?,
            places: *places,
        })
    }

    /// The record itself.
    #[inline]
    pub fn body(&self) -> Part<'t> {
        self.body
    }

    /// A field of the record: the last when it stands there twice.
    #[inline]
    pub fn top(&self, top: Top) -> Option<Part<'t>> {
        let place = self.places.tops.get(top as usize);
        self.body.of_place(*place.filter(|at| **at != NONE)?)
    }

    /// A field of the record by its name.
    pub fn field(&self, name: &str) -> Option<Part<'t>> {
        match Top::of(name) {
            Some(top) => self.top(top),
            None => self.body.child(name),
        }
    }

    /// Whether a name of a field has a dot in it.
    pub fn has_dots(&self) -> bool {
        self.places.has_dots
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.places.is_plain()
    }
}
