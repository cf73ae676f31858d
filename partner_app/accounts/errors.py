"""Errors of partner admins."""

from partner_app.core.errors import Blame, TiebackError


class AccountError(TiebackError):
    code = "account.error"
    blame = Blame.TENANT
    status = 403


class LinkVoid(AccountError):
    code = "account.link_void"
    user_message = "This set-up link has been used, has expired or never existed."
    remedy = "Ask an operator of this installation for a new one (manage.py create_partner_admin)."
    status = 410


class RoleMissing(AccountError):
    code = "account.role_missing"
    user_message = "Your account does not have the role for this."
    remedy = "Ask an owner of this installation for the role {role}."


class NoGrant(AccountError):
    code = "account.no_grant"
    user_message = "This company has not given support access to its data."
    remedy = (
        "Ask its administrator to allow it under Settings in Tieback; access ends automatically."
    )


class AdminUnknown(AccountError):
    code = "account.admin_unknown"
    user_message = "There is no partner admin {username}."
    remedy = "Find the name in the audit log."
    status = 404
