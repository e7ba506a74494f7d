"""The addresses of Google's accounts: the consent page, the token endpoint, and the one that revokes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, redirect, render_template_string, request

from tests.fakes.google.grants import OauthError
from tests.fakes.google.schema import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from tests.fakes.google.grants import Client, Grants

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in - fake Google accounts</title>
<style>
 body { font: 16px/1.5 system-ui, sans-serif; background: #f0f4f9; color: #1f1f1f; margin: 0; }
 main { max-width: 34rem; margin: 3rem auto; background: #fff; border-radius: 1.5rem; padding: 2rem 2.5rem; }
 h1 { font-size: 1.5rem; font-weight: 500; margin: 0 0 1rem; } .note { color: #5f6368; font-size: .875rem; }
 fieldset { border: 1px solid #dadce0; border-radius: .75rem; margin: 0 0 1.25rem; padding: .75rem 1rem; }
 label { display: block; padding: .35rem 0; } .buttons { display: flex; justify-content: flex-end; gap: .75rem; }
 button { font: inherit; border-radius: 2rem; border: 0; padding: .5rem 1.5rem; cursor: pointer; }
 button[value=allow] { background: #0b57d0; color: #fff; } button[value=cancel] { background: #fff; color: #0b57d0; }
 code { background: #f0f4f9; padding: .1rem .3rem; border-radius: .25rem; }
</style>
<main>
{% if error %}
 <h1>Access blocked</h1><p>{{ explanation }}</p><p class="note">Error {{ status }}: {{ error }}</p>
{% else %}
 <h1>This application wants to access your Google Account</h1>
 <p class="note">This is the fake of the project, for trying and testing. Nothing leaves this machine.</p>
 <form method="post" action="/auth?{{ query }}">
  <fieldset><legend>Choose an account</legend>
   {% for person in people %}
   <label><input type="radio" name="user" value="{{ person.email }}" {{ 'checked' if person.email == hint }}>
    {{ person.name }} <span class="note">{{ person.email }}</span></label>
   {% endfor %}
  </fieldset>
  <fieldset><legend>Select what it can access</legend>
   {% for scope, says in scopes %}
   <label><input type="checkbox" name="scope" value="{{ scope }}" {{ 'checked disabled' if alone }}> {{ says }}</label>
   {% endfor %}
  </fieldset>
  <p class="buttons"><button name="answer" value="cancel">Cancel</button>
   <button name="answer" value="allow">Continue</button></p>
 </form>
{% endif %}
</main></html>"""
_EXPLAINED = {
    "invalid_client": (401, "The OAuth client was not found."),
    "deleted_client": (401, "The OAuth client was deleted."),
    "redirect_uri_mismatch": (400, "You can't sign in because this app sent an invalid request."),
    "invalid_request": (400, "You can't sign in because this app sent an invalid request."),
    "invalid_scope": (400, "Some requested scopes were invalid."),
    "admin_policy_enforced": (
        400,
        "Your organisation's administrator does not allow this application the scopes that it asks for.",
    ),
    "org_internal": (403, "This client is restricted to users within its organisation."),
    "access_denied": (
        403,
        "This app is being tested, and can only be accessed by testers whom its developer approved.",
    ),
}


@dataclass(slots=True)
class Consent:
    """Who sits before the page, where nobody does.

    Attributes:
        auto: The user who says yes at once; empty: the page is shown.
        unticked: Scopes that this user does not tick.
        cancels: This user says no instead.
    """

    auto: str = ""
    unticked: set[str] = field(default_factory=set)
    cancels: bool = False


def accounts(grants: Grants, consent: Consent) -> Blueprint:
    """The three addresses."""
    pages = Blueprint("accounts", __name__)

    @pages.route("/auth", methods=["GET", "POST"])
    def auth() -> ResponseReturnValue:
        with grants.world.lock:
            asked = request.args.to_dict()
            error = _fault(grants, asked)
            if error:
                return _blocked(error)
            scopes = tuple(dict.fromkeys(asked["scope"].split()))
            if request.method == "POST":
                ticked = tuple(each for each in scopes if each in request.form.getlist("scope") or len(scopes) == 1)
                return _decided(
                    grants, asked, request.form.get("user", ""), ticked, allowed=request.form["answer"] == "allow"
                )
            if consent.auto:
                ticked = tuple(each for each in scopes if each not in consent.unticked)
                return _decided(grants, asked, consent.auto, ticked, allowed=not consent.cancels)
            people = [each for each in grants.world.people.values() if each.email not in grants.robots]
            return render_template_string(
                _PAGE,
                people=people,
                hint=asked.get("login_hint") or (people[0].email if people else ""),
                scopes=[(each, _says(each)) for each in scopes],
                alone=len(scopes) == 1,
                query=urlencode(asked),
            )

    @pages.route("/token", methods=["POST"])
    def token() -> ResponseReturnValue:
        with grants.world.lock:
            try:
                form = _with_basic(request.form.to_dict(), request.authorization)
                return jsonify(grants.token(form, request.base_url)), 200, {"Cache-Control": "no-store"}
            except OauthError as error:
                return jsonify(error.answer()), error.status

    @pages.route("/revoke", methods=["POST"])
    def revoke() -> ResponseReturnValue:
        with grants.world.lock:
            try:
                grants.revoke(request.values.get("token", ""))
            except OauthError as error:
                return jsonify(error.answer()), error.status
            return jsonify({})

    return pages


def _with_basic(form: dict[str, str], given: Any) -> dict[str, str]:
    if given is None or given.type != "basic":
        return form
    return {"client_id": given.username or "", "client_secret": given.password or ""} | form


def _says(scope: str) -> str:
    known = document()["auth"]["oauth2"]["scopes"].get(scope)
    return known["description"] if known else scope


def _fault(grants: Grants, asked: Mapping[str, str]) -> str:
    """Why the page is not shown at all; such an error never goes back to the client."""
    client = grants.clients.get(asked.get("client_id", ""))
    if client is None:
        return "invalid_client"
    if client.deleted:
        return "deleted_client"
    if not client.takes(asked.get("redirect_uri", "")):
        return "redirect_uri_mismatch"
    if asked.get("response_type") != "code" or not asked.get("scope"):
        return "invalid_request"
    if asked.get("code_challenge") and asked.get("code_challenge_method", "plain") not in {"S256", "plain"}:
        return "invalid_request"
    known = document()["auth"]["oauth2"]["scopes"].keys() | {"openid", "email", "profile"}
    return "" if set(asked["scope"].split()) <= known else "invalid_scope"


def _decided(
    grants: Grants, asked: Mapping[str, str], user: str, ticked: tuple[str, ...], *, allowed: bool
) -> ResponseReturnValue:
    """Sends the browser back to the client."""
    client = grants.clients[asked["client_id"]]
    if not allowed or not ticked:
        return _back(asked, {"error": "access_denied"})
    error = _not_for(grants, client, user)
    if error:
        return _blocked(error)
    code = grants.consented(client, user, ticked, asked)
    return _back(asked, {"code": code, "scope": " ".join(ticked)})


def _not_for(grants: Grants, client: Client, user: str) -> str:
    person = grants.world.people.get(user)
    if person is None:
        return "invalid_request"
    if client.internal and person.workspace != client.internal:
        return "org_internal"
    if person.workspace and person.workspace in grants.blocked_domains:
        return "admin_policy_enforced"
    return "access_denied" if client.testing and client.testers and user not in client.testers else ""


def _back(asked: Mapping[str, str], said: Mapping[str, str]) -> ResponseReturnValue:
    told = ({"state": asked["state"]} if "state" in asked else {}) | dict(said)
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return redirect(f"{asked['redirect_uri']}{joint}{urlencode(told)}")


def _blocked(error: str) -> ResponseReturnValue:
    status, explanation = _EXPLAINED[error]
    return render_template_string(_PAGE, error=error, status=status, explanation=explanation), status
