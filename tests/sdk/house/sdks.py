"""The official SDKs behind one way of calling: `ram("CreateUser", UserName="alice")` gives the body of the answer.

Request and answer go through the SDKs' own models, so a field that they do not know is not there.
"""

import importlib
import json

from alibabacloud_ims20190815 import models as ims_models
from alibabacloud_ims20190815.client import Client as ImsClient
from alibabacloud_ram20150501 import models as ram_models
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient

V1, V3 = "v2", None
TIMEOUT_MS = 60_000


class Refused(Exception):
    """What the server did not do, as the SDK tells it."""

    def __init__(self, code, status, message, body=None):
        super().__init__(f"{status} {code}: {message}")
        self.code, self.status, self.message, self.body = code, status, message, body


class Tea:
    """One of the present SDKs. They sign with V3 unless `signature_algorithm` is `v2`, which is V1."""

    def __init__(self, client, models, api, key, signature):
        config = Config(
            access_key_id=key[0],
            access_key_secret=key[1],
            endpoint=api,
            protocol="HTTP",
            signature_algorithm=signature,
            connect_timeout=TIMEOUT_MS,
            read_timeout=TIMEOUT_MS,
        )
        self._client, self._models = client(config), models
        # `BindMFADevice` is the method `bind_mfadevice`.
        self._methods = {name.replace("_", ""): name for name in dir(client) if not name.startswith("_")}

    def __call__(self, action, **parameters):
        method = getattr(self._client, self._methods[action.lower()])
        request = getattr(self._models, f"{action}Request", None)
        try:
            answer = method(request().from_map(parameters)) if request else method()
        except AlibabaCloudException as refused:
            message = refused.data["Message"] if refused.data else refused.message
            raise Refused(refused.code, refused.status_code, message, refused.data) from None
        return answer.body.to_map()


class Legacy:
    """`aliyun-python-sdk-core` with `aliyun-python-sdk-ram`. It signs with V1."""

    def __init__(self, api, key):
        self._api = api
        self._client = AcsClient(*key, "cn-hangzhou", timeout=TIMEOUT_MS // 1000)

    def __call__(self, action, **parameters):
        module = importlib.import_module(f"aliyunsdkram.request.v20150501.{action}Request")
        request = getattr(module, f"{action}Request")()
        request.set_endpoint(self._api)
        request.set_protocol_type("http")
        for name, value in parameters.items():
            getattr(request, f"set_{name}")(value)
        try:
            return json.loads(self._client.do_action_with_exception(request))
        except ServerException as refused:
            raise Refused(refused.get_error_code(), refused.get_http_status(), refused.get_error_msg()) from None


def ram(api, key, signature=V3):
    """RAM, version 2015-05-01."""
    return Tea(RamClient, ram_models, api, key, signature)


def ims(api, key, signature=V3):
    """IMS, version 2019-08-15."""
    return Tea(ImsClient, ims_models, api, key, signature)


def sts(api, key, signature=V3):
    """STS, version 2015-04-01."""
    return Tea(StsClient, sts_models, api, key, signature)


def refused(call, action, **parameters):
    """How the server refuses a call. That it does not is a failure."""
    try:
        answer = call(action, **parameters)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"{action} {parameters} was not refused: {answer}")
