"""Frostline in Slack: Bolt at the edge, a durable inbox behind it, pure functions that draw messages.

    app        Bolt listeners: read a payload (`incoming`), put it into the inbox or hand it on, acknowledge
    incoming   pure: from Slack's payloads to the types of `types`; who gets no answer
    people     who somebody is: Slack ids -> a person of policy.toml; guests, outsiders, bots, groups
    dispatcher takes questions from the inbox, one of a conversation at a time, in order; recovers what broke off
               (`claims`: an item while it is worked on); `pool`: the threads for what people press
    answering  one question: a stream (`streams`) with what is being done, then the answer
    deciding   what people press and send: `plan_buttons` (approve, decline, details, undo), `answer_buttons`
               (evidence, chart, feedback, ask again); `telling` says to one person what became of it
    cards      posts approval cards and keeps them true wherever a plan was decided
    api        everything that is sent to Slack: limits of rate, lost answers (`calls`), errors in our tree
    render     pure: turns and plans -> Block Kit; no I/O, no clock
    service    makes all of these (`parts`) from a Runtime; `serve` runs it by Socket Mode or HTTP (`signature`)
    check      `frostline slack --check`
    manifest   scopes and events of the app, as the one source of slack-manifest.json

The only package that imports slack_bolt or slack_sdk. It decides nothing: `agent.approvals` does.
"""
