"""Errors of partner admins."""

from partner_app.core.errors import Blame, TiebackError


class AccountError(TiebackError):
    code = "account.error"
    blame = Blame.TENANT
    status = 403


class LinkVoid(AccountError):
    code = "account.link_void"
    user_message = "This set-up link was used already, has expired, or was never made."
    remedy = "Ask an operator of this installation for a new one (manage.py create_partner_admin)."
    status = 410


class RoleMissing(AccountError):
    code = "account.role_missing"
    user_message = "Your account does not have the role for this."
    remedy = "Ask an owner of this installation for the role {role}."


class NoGrant(AccountError):
    code = "account.no_grant"
    user_message = "This company has not let support look at its data."
    remedy = "Ask its administrator to allow it under Settings in Tieback; it ends by itself."


class AdminUnknown(AccountError):
    code = "account.admin_unknown"
    user_message = "There is no partner admin {username}."
    remedy = "Look the name up in the audit log."
    status = 404
