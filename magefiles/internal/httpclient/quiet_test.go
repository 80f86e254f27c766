package httpclient_test

import (
	"io"
	"log"
)

// quiet is where a server of a test logs what it makes of clients.
var quiet = log.New(io.Discard, "", 0)
