-- wrk: the same POST for every server.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"roomId":"bench"}'
