//! Images and whom they are shared with. A case gives `LaunchPermissions` and `ProductCodes` with an image.

use serde_json::Value;

use super::{Answer, Ec2};

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        "DescribeImages" => world.owned("Images", params),
        "DescribeImageAttribute" => world.image_attribute(params),
        "ModifyImageAttribute" => world.share_image(params),
        _ => return None,
    })
}
