"use strict";
/* A basic phone in the browser. The server plays the aggregator; this page only shows and types. */

const $ = (id) => document.getElementById(id);
const KEYS = [["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
              ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""]];
const POLL_MS = 1000;

let sessionId = null;      // an open USSD session expects an answer
let turn = 0;              // counts requests, so that an answer that comes after a hang-up is ignored
let busy = false;
let code = "*152*00#";
let newestSms = null;
let numberTyped = false;   // the user's own control number is never replaced
let polling = false;

async function call(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  const reply = await response.json();
  if (!response.ok) throw new Error(reply.error || `HTTP ${response.status}`);
  return reply;
}

const msisdn = () => $("msisdn").value.replace(/\s/g, "");
const shillings = (text) => text.replace(/\.00$/, "").replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/* ---- the handset ---- */

function show(text, remark) {
  $("screen").textContent = text;
  $("screen").scrollTop = 0;
  $("remark").textContent = remark || "";
}

function idle(text, remark) {
  sessionId = null;
  $("entry").value = "";
  $("entry").placeholder = code;
  show(text, remark);
  labels();
}

function labels() {
  $("call").firstChild.textContent = sessionId ? "Tuma " : "Piga ";
  $("call").lastChild.textContent = sessionId ? "Send" : "Call";
  $("call").disabled = busy;
  $("screen").classList.toggle("busy", busy);
}

async function send() {
  if (busy) return;
  const mine = ++turn;
  const typed = $("entry").value.trim();
  busy = true;
  labels();
  if (!sessionId) show("…", "");
  try {
    const screen = sessionId
      ? await call("POST", "/sandbox/ussd/answer", { session_id: sessionId, input: typed })
      : await call("POST", "/sandbox/ussd/dial", { msisdn: msisdn(), code: typed || code });
    if (mine !== turn) {
      if (screen.state === "CON") await call("POST", "/sandbox/ussd/hangup", { session_id: screen.session_id });
      return;
    }
    busy = false;
    const length = screen.problem || `${screen.septets} ${screen.alphabet}${screen.fits ? "" : ": ndefu mno / too long"}`;
    if (screen.state === "CON") {
      sessionId = screen.session_id;
      $("entry").value = "";
      $("entry").placeholder = "jibu / answer";
      show(screen.text, length);
      labels();
    } else {
      idle(screen.text, length);
    }
  } catch (error) {
    if (mine === turn) {
      busy = false;
      idle("", `${error.message}`);
    }
  }
}

async function hangUp() {
  const open = sessionId;
  turn += 1;
  busy = false;
  idle("", open ? "Umekata simu / Call ended" : "");
  if (open) await call("POST", "/sandbox/ussd/hangup", { session_id: open }).catch(() => {});
}

function press(key) {
  $("entry").value += key;
}

/* ---- messages ---- */

function drawMessages(messages) {
  $("sms-count").textContent = messages.length;
  $("sms-none").hidden = messages.length > 0;
  $("sms").replaceChildren(...messages.slice(-50).reverse().map((message) => {
    const item = document.createElement("li");
    item.textContent = message.text;
    const meta = document.createElement("span");
    meta.className = "meta";
    const at = new Date(message.at).toLocaleTimeString([], { hour12: false });
    meta.textContent = `${message.from} · ${at} · ${message.septets} ${message.alphabet}, ${message.segments} SMS`;
    item.append(meta);
    return item;
  }));
}

async function poll() {
  if (polling || !msisdn()) return;
  polling = true;
  const phone = msisdn();
  try {
    const messages = await call("GET", `/sandbox/sms?to=${encodeURIComponent(phone)}`);
    if (phone !== msisdn()) return;
    const newest = messages.length ? messages[messages.length - 1].id : "";
    if (newest !== newestSms) {
      newestSms = newest;
      drawMessages(messages);
    }
    await offerNumber(phone, messages);
  } catch {
    $("remark").textContent = "Sandbox haijibu / The sandbox does not answer";
  } finally {
    polling = false;
  }
}

/* ---- the wallet ---- */

async function offerNumber(phone, messages) {
  if (numberTyped) return;
  const bills = (await call("GET", `/sandbox/bills?msisdn=${encodeURIComponent(phone)}`))
    .filter((bill) => bill.control_number);
  const said = messages.map((message) => /(?<!\d)(?:\d{4} ?){2}\d{4}(?!\d)/.exec(message.text)).filter(Boolean);
  const open = bills.filter((bill) => bill.status === "numbered");
  const number = open.length ? open[open.length - 1].control_number : said.length ? said[said.length - 1][0].replace(/ /g, "") : "";
  if (numberTyped || phone !== msisdn() || number === $("number").value) return;
  $("number").value = number;
  await showBill();
}

async function showBill() {
  const number = $("number").value.replace(/\s/g, "");
  $("bill").textContent = "";
  $("amount").value = "";
  if (!/^\d{12}$/.test(number)) return;
  const bills = await call("GET", `/sandbox/bills?control_number=${number}`);
  if (number !== $("number").value.replace(/\s/g, "")) return;
  const bill = bills[bills.length - 1];
  if (!bill) {
    $("bill").textContent = "Namba haijulikani / Unknown number";
    return;
  }
  $("bill").textContent = `${bill.payer}: ${bill.description}, TZS ${shillings(bill.amount)} (${bill.status})`;
  $("amount").value = bill.amount;
}

function showPaid(text, good) {
  $("paid").textContent = text;
  $("paid").className = `result ${good ? "good" : "bad"}`;
}

async function pay(event) {
  event.preventDefault();
  $("pay-now").disabled = true;
  showPaid("…", true);
  try {
    const result = await call("POST", "/sandbox/pay", {
      control_number: $("number").value.replace(/\s/g, ""),
      amount: $("amount").value.replace(/[\s,]/g, ""),
      msisdn: msisdn(),
    });
    if (result.status === "refused") showPaid(`Imekataliwa / Refused: ${result.text} (${result.code})`, false);
    else if (result.status === "paid") showPaid(`Imelipwa / Paid. Risiti ${result.pay_ref_id}`, true);
    else showPaid(`Inasubiri / ${result.status}. ${result.pay_ref_id}`, false);
    numberTyped = false;
    await showBill();
  } catch (error) {
    showPaid(error.message, false);
  } finally {
    $("pay-now").disabled = false;
  }
}

/* ---- start ---- */

function changePhone() {
  const chosen = [...$("who").options].find((option) => option.value === msisdn());
  $("who").value = chosen ? chosen.value : "";
  newestSms = null;
  numberTyped = false;
  $("number").value = "";
  $("bill").textContent = "";
  $("amount").value = "";
  showPaid("", true);
  hangUp();
  poll();
}

async function start() {
  for (const [key, letters] of KEYS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = key;
    const small = document.createElement("small");
    small.textContent = letters;
    small.setAttribute("aria-hidden", "true");
    button.append(small);
    button.addEventListener("click", () => press(key));
    $("keypad").append(button);
  }
  $("call").addEventListener("click", send);
  $("hangup").addEventListener("click", hangUp);
  $("erase").addEventListener("click", () => { $("entry").value = $("entry").value.slice(0, -1); });
  $("entry").addEventListener("keydown", (event) => {
    if (event.key === "Enter") send();
    if (event.key === "Escape") hangUp();
  });
  $("msisdn").addEventListener("change", changePhone);
  $("who").addEventListener("change", () => {
    if ($("who").value) $("msisdn").value = $("who").value;
    changePhone();
  });
  $("number").addEventListener("input", () => {
    numberTyped = $("number").value !== "";
    showBill().catch(() => {});
  });
  $("pay").addEventListener("submit", pay);

  const [phones, setup] = await Promise.all([call("GET", "/sandbox/phones"), call("GET", "/sandbox/setup")]);
  code = setup.service_codes[0] || code;
  $("who").append(new Option("(namba nyingine / another number)", ""));
  for (const phone of phones) $("who").append(new Option(`${phone.who} · ${phone.msisdn}`, phone.msisdn));
  if (phones.length) $("msisdn").value = phones[0].msisdn;

  const tick = () => { $("clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }); };
  tick();
  setInterval(tick, 10000);
  setInterval(poll, POLL_MS);
  $("network").textContent = "▂▄▆ TZ";
  changePhone();
  idle("", "");
  $("entry").value = code;
}

start().catch((error) => { $("remark").textContent = error.message; });
