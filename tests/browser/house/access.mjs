// Groups and policies, as the owner makes, attaches and removes them on their pages.

const LOOK = JSON.stringify(
  { Version: "1", Statement: [{ Effect: "Allow", Action: ["ram:ListUsers", "ram:GetUser"], Resource: "*" }] }, null, 2,
);

/** Walks over every page of groups and policies. `member` is the name of a user who is put into a group. */
export async function walkAccess(owner, member, step) {
  await step("P01: a group is made and a user put into it", async () => {
    await owner.go("/ram/groups");
    await owner.look("ram-groups-empty");
    await owner.go("/ram/create-group");
    await owner.fill({ name: "two words" });
    await owner.send("/ram/create-group");
    await owner.look("ram-create-group-refused");
    await owner.fill({ name: "help-desk", comments: "who help with logons" });
    await owner.send("/ram/create-group");
    owner.at("/ram/groups/help-desk");
    await owner.look("ram-group-empty");
    await owner.fill({ user: "nobody" });
    await owner.send("/ram/groups/help-desk/members");
    await owner.look("ram-group-refused");
    await owner.go("/ram/groups/help-desk");
    await owner.fill({ user: member });
    await owner.send("/ram/groups/help-desk/members");
    owner.at("/ram/groups/help-desk");
    await owner.go("/ram/groups/help-desk/edit");
    await owner.look("ram-group-edit");
  });

  await step("P02: a policy is written, and what is wrong in it stands at its field", async () => {
    await owner.go("/ram/create-policy");
    await owner.look("ram-create-policy");
    await owner.fill({ name: "help-desk", document: LOOK.replace('"Action"', '"NotAction"') });
    await owner.send("/ram/create-policy");
    await owner.look("ram-create-policy-refused");
    await owner.fill({ document: LOOK });
    await owner.send("/ram/create-policy");
    owner.at("/ram/policies/help-desk");
    await owner.go("/ram/groups/help-desk");
    await owner.fill({ policy: "help-desk" });
    await owner.send("/ram/groups/help-desk/policies");
    owner.at("/ram/groups/help-desk");
    await owner.look("ram-group");
    await owner.go("/ram/groups");
    await owner.look("ram-groups");
    await owner.go("/ram/policies");
    await owner.look("ram-policies");
    await owner.go("/ram/policies/AdministratorAccess");
    await owner.look("ram-policy-system");
    await owner.go(`/ram/users/${member}/policies`);
    await owner.look("ram-user-policies-by-group");
  });

  await step("P03: a version is written and looked at", async () => {
    await owner.go("/ram/policies/help-desk/versions");
    await owner.look("ram-policy-new-version");
    await owner.fill({ document: LOOK.replace("ram:GetUser", "ram:GetGroup") });
    await owner.send("/ram/policies/help-desk/versions");
    owner.at("/ram/policies/help-desk");
    await owner.look("ram-policy");
    await owner.go("/ram/policies/help-desk/versions/v1");
    await owner.look("ram-policy-version");
  });

  await step("what goes is asked for once more", async () => {
    await owner.go("/ram/policies/help-desk/delete");
    await owner.look("ram-policy-delete");
    await owner.send("/ram/policies/help-desk/delete");
    await owner.look("ram-policy-delete-refused");
    await owner.go("/ram/groups/help-desk/policies?policy=help-desk");
    await owner.look("ram-group-detach");
    await owner.send("/ram/groups/help-desk/policies");
    await owner.go(`/ram/groups/help-desk/members?user=${member}`);
    await owner.look("ram-group-remove-member");
    await owner.send("/ram/groups/help-desk/members");
    await owner.go("/ram/groups/help-desk/delete");
    await owner.look("ram-group-delete");
    await owner.send("/ram/groups/help-desk/delete");
    owner.at("/ram/groups");
  });
}
