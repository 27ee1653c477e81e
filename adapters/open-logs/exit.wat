;; Flushes the logs that a program has left open before it exits.
(component
  (import "wasi:cli/exit@0.2.0" (instance $host
    (export "exit" (func (param "status" (result))))))
  (import "stratalog:adapters/open-logs" (instance $logs
    (export "flush" (func (result (result))))))
  (core module $calls
    (import "host" "exit" (func $exit (param i32)))
    (import "logs" "flush" (func $flush (result i32)))
    ;; A result is 1 if it is an error.
    (func (export "exit") (param $status i32)
      call $flush
      local.get $status
      i32.or
      call $exit))
  (core func $exit (canon lower (func $host "exit")))
  (core func $flush (canon lower (func $logs "flush")))
  (core instance $called (instantiate $calls
    (with "host" (instance (export "exit" (func $exit))))
    (with "logs" (instance (export "flush" (func $flush))))))
  (func $lifted (param "status" (result)) (canon lift (core func $called "exit")))
  (instance $exit (export "exit" (func $lifted)))
  (export "wasi:cli/exit@0.2.0" (instance $exit)))
