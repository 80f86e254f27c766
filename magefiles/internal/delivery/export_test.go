package delivery

import "github.com/foopack/foopack/magefiles/internal/session"

// Until is until.
var Until = stagesUntil

// OperationOf returns a delivery's operation, which the kill test interrupts.
func OperationOf(d *Delivery) *session.Operation[*Plan] { return d.operation() }

// AwaitBy is Await with a custom clock.
var AwaitBy = await
