"""Files as people see them: how one is uploaded and posted (uploading), who sees which (seeing), how it looks (shape).

Their bytes are the business of svc.webapp.files. An upload is three steps: a promise (a row that nobody sees), the
bytes, and completing it, which is one write of the conversation's log: the message, and, as its effect, the file's row
and who sees it. A file without a conversation is completed by a write on its owner's own channel.
"""
