//! What every operation that administers something may answer besides.

use hallpass_wire::Problem;
use utoipa::IntoResponses;

/// Who asks is not known, may not, or it is not there.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the description of the API alone")]
pub(super) enum Refusals {
    /// `sign_in_required`, `invalid_token`
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(Problem),
    /// `permission_missing`, `above_your_role`, `csrf_required`, `address_not_allowed`
    #[response(status = 403, content_type = "application/problem+json")]
    MayNot(Problem),
    /// `not_found`, also in another organization
    #[response(status = 404, content_type = "application/problem+json")]
    NotThere(Problem),
}
