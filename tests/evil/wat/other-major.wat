;; Imports the log's interface in another major version, which nobody provides.
(component
  (import "stratalog:log/append-log@1.0.0" (instance $log
    (export "log" (type (sub resource)))))
  (core module $program (func (export "run") (result i32) (i32.const 0)))
  (core instance $program (instantiate $program))
  (func $run (result (result)) (canon lift (core func $program "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
