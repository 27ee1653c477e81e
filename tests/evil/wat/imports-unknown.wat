;; Imports an interface that nobody provides.
(component
  (import "evil:host/secrets@0.1.0" (instance $secrets
    (export "all" (func (result string)))))
  (core module $program (func (export "run") (result i32) (i32.const 0)))
  (core instance $program (instantiate $program))
  (func $run (result (result)) (canon lift (core func $program "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
