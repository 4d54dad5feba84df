%% The Erlang contestants. Started as `erl -s vigil_bench start FUNCTION`; each line of input is a number of items, each line
%% of output a measurement as JSON.
-module(vigil_bench).
-behaviour(supervisor).
-export([start/1, init/1, start_idle/0, start_crashing/1, handle_call/3, handle_cast/2]).

-define(BATCH, 1000).
-define(WINDOW, 500).
-define(CRASHES_PER_SUPERVISOR, 100).

start([Function]) ->
    logger:set_primary_config(level, none),
    spawn(fun() -> serve(Function) end).

serve(Function) ->
    case io:get_line("") of
        eof -> halt();
        Line ->
            Count = list_to_integer(string:trim(Line)),
            erlang:garbage_collect(),
            {Handled, Total} = measure(Function, Count),
            io:format("{\"handled\":~b,\"total\":~b}~n", [Handled, Total]),
            serve(Function)
    end.

%% A thousand messages go in, then a thousand come out.
measure(inbox, Count) ->
    timed(fun() -> send_and_receive(0, Count) end);

%% From one process to another, as fast as the sender can.
measure(one_way, Count) ->
    Parent = self(),
    Receiver = spawn_link(fun() -> count_texts(Parent, Count, 0) end),
    timed(fun() ->
        send_texts(Receiver, Count),
        receive {handled, Handled} -> Handled end
    end);

measure(ping_pong, Count) ->
    Parent = self(),
    timed(fun() ->
        Left = spawn_link(fun() -> receive {start, Right} -> Parent ! {handled, answer(Right, Count, 0)} end end),
        Right = spawn_link(fun() -> Parent ! {handled, answer(Left, Count, 0)} end),
        Left ! {start, Right},
        Left ! 1,
        receive {handled, One} -> receive {handled, Other} -> One + Other end end
    end);

measure(gen_server_call, Count) ->
    {ok, Server} = gen_server:start_link(?MODULE, {counter, 0}, []),
    Result = timed(fun() -> call(Server, Count, 0) end),
    gen_server:stop(Server),
    Result;

measure(gen_server_pipelined, Count) ->
    {ok, Server} = gen_server:start_link(?MODULE, {counter, 0}, []),
    Result = timed(fun() -> call_in_windows(Server, Count, 0) end),
    gen_server:stop(Server),
    Result;

measure(start_child, Count) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, []),
    Result = timed(fun() -> start_children(Supervisor, Count), proplists:get_value(active, supervisor:count_children(Supervisor)) end),
    stop(Supervisor),
    Result;

measure(crash_to_restart, Count) ->
    lives(Count, {0, 0});

%% A supervised process with all that the machine keeps for it, the supervisor's own notes included.
measure(idle_supervised, Count) ->
    Before = erlang:memory(total),
    Supervisor = start_idle_children(Count),
    erlang:garbage_collect(Supervisor),
    After = erlang:memory(total),
    {proplists:get_value(active, supervisor:count_children(Supervisor)), After - Before};

measure(idle_process, Count) ->
    Supervisor = start_idle_children(Count),
    Children = supervisor:which_children(Supervisor),
    {length(Children), lists:sum([element(2, process_info(Pid, memory)) || {_, Pid, _, _} <- Children])}.

timed(Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Handled = Work(),
    {Handled, erlang:monotonic_time(nanosecond) - Start}.

send_and_receive(Handled, Count) when Handled >= Count -> Handled;
send_and_receive(Handled, Count) ->
    send(self(), Handled, Handled + ?BATCH),
    send_and_receive(receive_until(Handled, Handled + ?BATCH), Count).

send(_, End, End) -> ok;
send(Pid, Number, End) -> Pid ! Number, send(Pid, Number + 1, End).

receive_until(End, End) -> End;
receive_until(Handled, End) -> receive Number when is_integer(Number) -> receive_until(Handled + 1, End) end.

%% A new text for each message, as the others have one.
send_texts(_, 0) -> ok;
send_texts(Pid, Left) -> Pid ! <<"order-", Left:80>>, send_texts(Pid, Left - 1).

count_texts(Parent, Count, Count) -> Parent ! {handled, Count};
count_texts(Parent, Count, Handled) -> receive Text when is_binary(Text) -> count_texts(Parent, Count, Handled + 1) end.

answer(_, Count, Handled) when Handled >= Count div 2 -> Handled;
answer(Other, Count, Handled) ->
    receive
        Number when Number < Count -> Other ! Number + 1;
        _ -> ok
    end,
    answer(Other, Count, Handled + 1).

call(_, 0, Last) -> Last;
call(Server, Left, _) -> call(Server, Left - 1, gen_server:call(Server, {add, 1})).

call_in_windows(_, Left, Last) when Left =< 0 -> Last;
call_in_windows(Server, Left, _) ->
    Requests = [gen_server:send_request(Server, {add, 1}) || _ <- lists:seq(1, ?WINDOW)],
    Replies = [element(2, gen_server:wait_response(Request, 5000)) || Request <- Requests],
    call_in_windows(Server, Left - ?WINDOW, lists:last(Replies)).

handle_call({add, Number}, _, Count) -> {reply, Count + Number, Count + Number}.

handle_cast(_, Count) -> {noreply, Count}.

%% The fastest legal start function: nothing is awaited from the child.
start_idle() -> {ok, spawn_link(fun() -> receive stop -> ok end end)}.

start_children(_, 0) -> ok;
start_children(Supervisor, Count) ->
    {ok, _} = supervisor:start_child(Supervisor, #{id => Count, start => {?MODULE, start_idle, []}}),
    start_children(Supervisor, Count - 1).

start_idle_children(Count) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, []),
    start_children(Supervisor, Count),
    Supervisor.

%% Nobody's supervisor lives longer than a hundred crashes, see crash-to-restart.ts.
lives(Count, {Handled, Total}) when Handled >= Count -> {Handled, Total};
lives(Count, {Handled, Total}) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, [#{id => task, start => {?MODULE, start_crashing, [self()]}}]),
    {Restarts, Time} = crash(?CRASHES_PER_SUPERVISOR, entry(), {0, 0}),
    stop(Supervisor),
    lives(Count, {Handled + Restarts, Total + Time}).

start_crashing(Observer) -> {ok, spawn_link(fun() -> crashing(Observer) end)}.

crashing(Observer) ->
    Observer ! {entered, self(), erlang:monotonic_time(nanosecond)},
    receive crash -> Observer ! {crashes, erlang:monotonic_time(nanosecond)}, exit(crash) end.

crash(0, _, Result) -> Result;
crash(Left, {Pid, _}, {Restarts, Total}) ->
    Pid ! crash,
    receive {crashes, CrashedAt} -> ok end,
    {_, EnteredAt} = Next = entry(),
    crash(Left - 1, Next, {Restarts + 1, Total + EnteredAt - CrashedAt}).

entry() -> receive {entered, Pid, Time} -> {Pid, Time} end.

stop(Supervisor) ->
    unlink(Supervisor),
    Monitor = monitor(process, Supervisor),
    exit(Supervisor, shutdown),
    receive {'DOWN', Monitor, _, _, _} -> ok end.

%% A server's state, or the children of a supervisor.
init({counter, Count}) -> {ok, Count};
init(Children) -> {ok, {#{intensity => ?CRASHES_PER_SUPERVISOR, period => 5}, Children}}.
