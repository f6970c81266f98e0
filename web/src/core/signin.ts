/** Signing in and out, over the pages' own endpoints. The session is a cookie that no script can read. */
import { type Asked, Refusal, type SessionInfo, type SignIn } from "./contract";
import type { Api } from "./net/api";
import { isObject, type Json, object, objects, text, texts } from "./net/json";
import { placesOf } from "./places";

export function makeSignIn(api: Api): SignIn {
  const post = async (name: string, args: Json): Promise<void> => {
    await api.web(name, args);
  };
  return {
    session: async () => sessionOf(await api.web("session")),
    signIn: (team, login, password) => post("signin", { ...(team ? { team } : {}), login, password }),
    signInAs: (userId) => post("signin/demo", { user: userId }),
    join: (code, name, realName, password) => post("join", { code, name, real_name: realName, password }),
    changePassword: (old, fresh) => post("password", { old, new: fresh }),
    async invitation(code) {
      const answer = await api.web(`invitation?${new URLSearchParams({ code })}`);
      const inviter = object(answer.inviter);
      return {
        teamName: text(object(answer.team).name),
        inviterName: text(inviter.real_name) || text(inviter.name),
        email: text(answer.email),
      };
    },
    async consent(asked) {
      const answer = await api.web(`consent?${new URLSearchParams(said(asked))}`);
      return {
        appName: text(object(answer.app).name),
        teamName: text(object(answer.team).name),
        userName: text(object(answer.user).name),
        scopes: texts(answer.scopes),
        userScopes: texts(answer.user_scopes),
        wantsChannel: answer.wants_channel === true,
        goesTo: text(answer.goes_to),
        declined: text(answer.declined),
      };
    },
    places: (selfName) => placesOf(api, selfName),
    async agree(asked, channelId) {
      const args = { ...said(asked), ...(channelId ? { channel: channelId } : {}) };
      return text((await api.web("consent/agree", args)).goes_to);
    },
    async signOut() {
      try {
        await api.web("signout", {}, { isRepeatable: true });
      } catch (error) {
        if (!(error instanceof Refusal && error.code === "not_authed")) throw error; // out is out
      }
    },
  };
}

const ASKED = ["client_id", "scope", "user_scope", "redirect_uri", "state"];

/** What the server is told of an address: nothing but what it knows. */
function said({ isFirstVersion, query }: Asked): Record<string, string> {
  const given = new URLSearchParams(query);
  const named = ASKED.flatMap((name) => (given.has(name) ? [[name, given.get(name) ?? ""] as const] : []));
  return { ...Object.fromEntries(named), ...(isFirstVersion ? { version: "1" } : {}) };
}

function sessionOf(json: Json): SessionInfo {
  const { team, user } = json;
  return {
    isSignedIn: json.signed_in === true,
    team: isObject(team) ? { id: text(team.id), name: text(team.name), domain: text(team.domain) } : null,
    user: isObject(user) ? { id: text(user.id), name: text(user.name) } : null,
    isDemo: json.demo === true,
    demoUsers: objects(json.demo_users).map((each) => ({
      id: text(each.id),
      name: text(each.name),
      realName: text(each.real_name),
      title: text(each.title),
    })),
  };
}
