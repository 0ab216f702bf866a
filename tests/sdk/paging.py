"""2,500 users, made by many threads and read page by page: every one is seen once, in order."""

from concurrent.futures import ThreadPoolExecutor

from house import sdks
from house.story import holds, same, step, tell

OWNER = ("owner@example.com", "correct horse battery")
USERS = 2_500
THREADS = 16


def story(server):
    server.account("acme", *OWNER)
    key = server.access_key("acme")
    names = [f"user-{number:05}" for number in range(USERS)]
    with step(f"{USERS} users are made by {THREADS} threads"):
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda part: create(server, key, part), (names[at::THREADS] for at in range(THREADS))))

    ram, ims, legacy = sdks.ram(server.api, key), sdks.ims(server.api, key), sdks.Legacy(server.api, key)
    for name, call, field in (("RAM, V3", ram, "UserName"), ("RAM, aliyunsdkcore", legacy, "UserName")):
        with step(f"{name}: pages of 1,000, of 997, of 100 without being asked"):
            same(walk(call, "ListUsers", "Users", "User", field, MaxItems=1000), (names, [1000, 1000, 500]))
            same(walk(call, "ListUsers", "Users", "User", field, MaxItems=997), (names, [997, 997, 506]))
            same(walk(call, "ListUsers", "Users", "User", field), (names, [100] * 25))

    principals = [f"{name}@acme.countersign.local" for name in names]
    with step("IMS: ListUsers and ListUserBasicInfos"):
        field = "UserPrincipalName"
        same(walk(ims, "ListUsers", "Users", "User", field), (principals, [1000, 1000, 500]))
        same(
            walk(ims, "ListUserBasicInfos", "UserBasicInfos", "UserBasicInfo", field, MaxItems=500),
            (principals, [500] * 5),
        )

    with step("who goes and who comes while a list is read moves nobody else"):
        first = ram("ListUsers", MaxItems=1000)
        same(first["IsTruncated"], True)
        for gone in (names[0], names[999], names[1000], names[2499]):
            ram("DeleteUser", UserName=gone)
        ram("CreateUser", UserName="user-01500-late")
        second = ram("ListUsers", MaxItems=1000, Marker=first["Marker"])
        third = ram("ListUsers", MaxItems=1000, Marker=second["Marker"])
        found = [user["UserName"] for page in (first, second, third) for user in page["Users"]["User"]]
        same(found, sorted(set(names) - {names[1000], names[2499]} | {"user-01500-late"}))

    with step("attack_131: a marker that is made up, altered, or of another list is refused"):
        marker = first["Marker"]
        altered = ("A" if marker[5] != "A" else "B").join((marker[:5], marker[6:]))
        for call, action, wrong in (
            (ram, "ListUsers", "user-00999"),
            (ram, "ListUsers", altered),
            (ims, "ListUserBasicInfos", marker),
            (ims, "ListVirtualMFADevices", marker),
        ):
            refused = sdks.refused(call, action, Marker=wrong)
            same((refused.code, refused.status), ("InvalidParameter.Marker", 400), f"{action} {wrong}")
        for most in (0, 1001, -1):
            same(sdks.refused(ram, "ListUsers", MaxItems=most).code, "InvalidParameter.MaxItems")
    holds(len(marker) < 200, "a marker is short")


def create(server, key, names):
    call = sdks.ram(server.api, key)
    for name in names:
        call("CreateUser", UserName=name)


def walk(call, action, of, each, field, **parameters):
    """All pages of a list: what is in them, and how much in each."""
    found, sizes, marker = [], [], {}
    while True:
        page = call(action, **parameters, **marker)
        items = [item[field] for item in page[of][each]]
        found += items
        sizes.append(len(items))
        same("Marker" in page, page["IsTruncated"], "a marker stands where there is more")
        if not page["IsTruncated"]:
            return found, sizes
        marker = {"Marker": page["Marker"]}


tell(story)
